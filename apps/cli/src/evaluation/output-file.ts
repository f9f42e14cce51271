import { access, constants, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { EmbError } from "@emb/manifest";

/**
 * Where an option wants a file written. Asked before the queries are, so that nobody waits for a file that cannot be written.
 * @param example name of such a file
 * @returns an absolute path; null: not wanted
 * @throws EmbError EMB_USAGE
 */
export async function outputFile(
  cwd: string,
  flag: string,
  path: string | undefined,
  example: string,
): Promise<string | null> {
  if (path === undefined) return null;
  const expected = `${flag}: expected a file that can be written`;
  const file = resolve(cwd, path);
  const there = await statOf(file);
  if (path === "" || there?.isDirectory() === true || path.endsWith(sep))
    throw usage(`${expected}, got the folder "${path}"`, `Name a file in it: ${flag} ${join(path, example)}`);
  const folder = await statOf(dirname(file));
  if (folder?.isDirectory() !== true)
    throw usage(
      `${expected}, got "${path}", and there is no folder "${dirname(path)}"`,
      folder === null ? `Make it: mkdir -p ${dirname(path)}` : `Name another: ${flag} ${example}`,
    );
  await access(there === null ? dirname(file) : file, constants.W_OK).catch((cause: unknown) => {
    throw usage(`${expected}, got "${path}", which may not be`, `Name another: ${flag} ${example}`, cause);
  });
  return file;
}

const statOf = (path: string) => stat(path).catch(() => null);

const usage = (message: string, hint: string, cause?: unknown): EmbError =>
  new EmbError("EMB_USAGE", message, { hint, cause });
