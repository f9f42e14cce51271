import { describe, expect, it } from "vitest";
import { importsOf, isTest, readWorkspace } from "./checkout.js";

/**
 * Which package may import which: design.md section 1. `types` means port types only. Apps may import everything, packages never an app and,
 * but for itself, never @emb/config.
 */
const EDGES: Readonly<Record<string, Readonly<Record<string, "values" | "types">>>> = {
  "@emb/manifest": {},
  "@emb/config": { "@emb/manifest": "values" },
  "@emb/providers": { "@emb/manifest": "values" },
  "@emb/store": { "@emb/manifest": "values" },
  "@emb/search": { "@emb/manifest": "values", "@emb/providers": "types", "@emb/store": "types" },
  "@emb/ingest": { "@emb/manifest": "values", "@emb/providers": "types", "@emb/store": "types" },
  "@emb/eval": { "@emb/manifest": "values" },
};

const workspace = readWorkspace();
const packages = workspace.filter(({ folder }) => folder.startsWith("packages/"));
const own = (specifier: string) => specifier.split("/").slice(0, 2).join("/");

describe("the table of package edges", () => {
  it("names every package", () =>
    expect(packages.map(({ name }) => name).toSorted()).toEqual(Object.keys(EDGES).toSorted()));

  it.each(packages.map((entry) => [entry.name, entry] as const))("%s imports only what it may", (name, { sources }) => {
    const allowed = EDGES[name] ?? {};
    const wrong = sources
      .filter(({ file }) => !isTest(file))
      .flatMap(({ file, text }) =>
        importsOf(text)
          .filter(({ specifier }) => own(specifier).startsWith("@emb/") || specifier === "emb")
          .filter(({ specifier, typeOnly }) => {
            const edge = allowed[own(specifier)];
            return edge === undefined || (edge === "types" && !typeOnly);
          })
          .map(({ specifier, typeOnly }) => `${file} -> ${specifier}${typeOnly ? " (types)" : ""}`),
      );
    expect(wrong).toEqual([]);
  });

  it.each(packages.map((entry) => [entry.name, entry] as const))(
    "%s depends on no other emb package than the table's",
    (name, entry) => {
      const named = Object.keys(entry.dependencies).filter((dependency) => dependency.startsWith("@emb/"));
      expect(named.filter((dependency) => EDGES[name]?.[dependency] === undefined)).toEqual([]);
    },
  );

  it.each(workspace.map((entry) => [entry.name, entry] as const))(
    "%s has no relative import that leaves it",
    (_name, { sources, folder }) => {
      const inside = (file: string) => (isTest(file) ? `/${folder}/` : `/${folder}/src/`);
      const leaving = sources.flatMap(({ file, text }) =>
        importsOf(text)
          .filter(({ specifier }) => specifier.startsWith("."))
          .filter(({ specifier }) => !new URL(specifier, `file:///${file}`).pathname.startsWith(inside(file)))
          .map(({ specifier }) => `${file} -> ${specifier}`),
      );
      expect(leaving).toEqual([]);
    },
  );

  it.each(workspace.map((entry) => [entry.name, entry] as const))(
    "%s declares everything it imports",
    (name, entry) => {
      const declared = new Set([...Object.keys(entry.dependencies), ...Object.keys(entry.peerDependencies)]);
      const development = new Set([...declared, ...Object.keys(entry.devDependencies), "vitest"]);
      const missing = entry.sources.flatMap(({ file, text }) =>
        importsOf(text)
          .map(({ specifier }) => (specifier.startsWith("@") ? own(specifier) : specifier.split("/")[0]!))
          .filter((specifier) => !/^(\.|node:)/.test(specifier) && specifier !== name)
          .filter((specifier) => !(isTest(file) ? development : declared).has(specifier))
          .map((specifier) => `${file} -> ${specifier}`),
      );
      expect(missing).toEqual([]);
    },
  );
});

describe("package shape", () => {
  it.each(packages.map((entry) => [entry.name, entry] as const))(
    "%s is ESM with types first and an allow-list of files",
    (_name, entry) => {
      expect(entry.type).toBe("module");
      const effects = Array.isArray(entry.sideEffects) ? entry.sideEffects : [];
      expect(
        entry.sideEffects === false || effects.every((file) => file.endsWith("-worker.js")),
        "only a worker's file runs at import",
      ).toBe(true);
      expect(entry.files).toEqual(["dist", "README.md"]);
      for (const [path, target] of Object.entries(entry.exports ?? {})) {
        if (path === "./package.json") continue;
        expect(Object.keys(target), path).toEqual(["types", "default"]);
      }
    },
  );

  it("finds no import-time exit or console outside an app's main", () => {
    const loose = workspace.flatMap(({ sources, folder }) =>
      sources
        .filter(({ file }) => !isTest(file) && !(folder.startsWith("apps/") && file.endsWith("main.ts")))
        .filter(({ text }) => /\bprocess\.exit\(|\bconsole\.\w+\(/.test(text))
        .map(({ file }) => file),
    );
    expect(loose).toEqual([]);
  });
});
