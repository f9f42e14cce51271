import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The checkout this test stands in. */
export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

const PackageJson = z.object({
  name: z.string(),
  private: z.boolean().optional(),
  type: z.string(),
  sideEffects: z.union([z.boolean(), z.array(z.string())]).optional(),
  files: z.array(z.string()).optional(),
  exports: z.record(z.string(), z.union([z.string(), z.object({ types: z.string(), default: z.string() })])).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});

export interface WorkspacePackage extends z.infer<typeof PackageJson> {
  /** Relative to the root, for example `packages/store`. */
  readonly folder: string;
  readonly sources: readonly { readonly file: string; readonly text: string }[];
}

/** Every package and app of the workspace, with its source files. */
export const readWorkspace = (): WorkspacePackage[] =>
  ["packages", "apps"].flatMap((parent) =>
    readdirSync(join(ROOT, parent))
      .filter((name) => statSync(join(ROOT, parent, name)).isDirectory())
      .map((name) => {
        const folder = `${parent}/${name}`;
        const json = PackageJson.parse(JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")));
        return { ...json, folder, sources: readSources(join(folder, "src")) };
      }),
  );

const readSources = (folder: string): { file: string; text: string }[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return readSources(path);
    return entry.name.endsWith(".ts") ? [{ file: path, text: readFileSync(join(ROOT, path), "utf8") }] : [];
  });

/** Tests, and what only tests load: these may use what the package itself must not. */
export const isTest = (file: string): boolean => /\.(test|test-d|fixture|test-data|global-setup)\.ts$/.test(file);

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Static and dynamic imports and re-exports of a source text. */
export function importsOf(text: string): Import[] {
  const imports: Import[] = [];
  for (const match of text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm))
    imports.push({ specifier: match[2]!, typeOnly: match[1] !== undefined });
  for (const match of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g))
    imports.push({ specifier: match[1]!, typeOnly: false });
  return imports;
}
