import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { nearest, type Problem } from "@emb/manifest";
import { MANIFEST_FILE } from "./defaults.js";
import { variableProblem } from "./setting-variables.js";

/** How configuration is read; a parameter, so that tests and hosts without a disk can give their own. */
export interface ConfigFiles {
  /** The bytes of a file; null when there is none. Throws when it cannot be read. */
  read(path: string): Uint8Array | null;
  /** Names in a folder; null when there is no such folder. */
  list(folder: string): readonly string[] | null;
}

/** The disk. */
export const diskFiles: ConfigFiles = {
  read: (path) => (statSync(path, { throwIfNoEntry: false }) === undefined ? null : readFileSync(path)),
  list: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return null; // also a folder that this user may not look into: the search goes on above it
    }
  },
};

/** A file's text, or null and a problem when it is missing, unreadable or not UTF-8. */
export function readText(files: ConfigFiles, path: string, missing: () => Problem, problems: Problem[]): string | null {
  try {
    const bytes = files.read(path);
    if (bytes !== null) return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    problems.push(missing());
  } catch (error) {
    const decoding = errorCode(error) === "ERR_ENCODING_INVALID_ENCODED_DATA";
    problems.push({
      code: "EMB_CONFIG_FILE_UNREADABLE",
      message: decoding ? "the file is not valid UTF-8" : `the file cannot be read (${errorCode(error)})`,
      hint: decoding ? "Save the file as UTF-8." : "Check that it is a file and that this user may read it.",
      file: path,
    });
  }
  return null;
}

const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown reason";

/** The config folder: the one named, else the nearest `config` with a manifest at or above `cwd`; null and a problem if none. */
export function findConfigFolder(
  files: ConfigFiles,
  cwd: string,
  named: string | undefined,
  problems: Problem[],
): string | null {
  if (named !== undefined) {
    const folder = resolve(cwd, named);
    if (files.list(folder) !== null) return folder;
    problems.push(
      variableProblem(
        "EMB_CONFIG_DIR",
        `there is no folder ${folder}`,
        "Correct the path or unset EMB_CONFIG_DIR.",
        "EMB_CONFIG_DIR_MISSING",
      ),
    );
    return null;
  }
  for (let at = resolve(cwd); ; at = dirname(at)) {
    const folder = join(at, "config");
    if (files.list(folder)?.includes(MANIFEST_FILE) === true) return folder;
    if (at === dirname(at)) break;
  }
  problems.push({
    code: "EMB_CONFIG_DIR_MISSING",
    message: `no folder config/ with ${MANIFEST_FILE} at or above ${resolve(cwd)}`,
    hint: "Change to the project's folder, or set EMB_CONFIG_DIR.",
  });
  return null;
}

/** Path of the environment's file, whether it exists or not. `dev` falls back to development.yaml. */
export function environmentFilePath(files: ConfigFiles, folder: string, environment: string): string {
  const names = files.list(folder) ?? [];
  const fallback = environment === "dev" && !names.includes("dev.yaml");
  return join(folder, `${fallback ? "development" : environment}.yaml`);
}

/** What to say when the environment has no file. */
export function missingEnvironmentFile(files: ConfigFiles, folder: string, environment: string): Problem {
  const names = (files.list(folder) ?? [])
    .filter((name) => name.endsWith(".yaml") && name !== MANIFEST_FILE)
    .map((name) => name.slice(0, -".yaml".length));
  const near = nearest(environment, names);
  const hint =
    near === null
      ? `Write the file, or set ENV to one of: ${names.join(", ")}.`
      : near.toLowerCase() === environment
        ? `Rename ${near}.yaml to ${environment}.yaml: file names are lower case.`
        : `Did you mean ENV=${near}?`;
  return {
    code: "EMB_CONFIG_FILE_MISSING",
    message: `environment ${environment} has no file ${environment}.yaml in ${folder}`,
    hint,
    file: join(folder, `${environment}.yaml`),
  };
}
