import { realpath, stat } from "node:fs/promises";
import { EmbError } from "@emb/manifest";
import { createFolderSource } from "./folder-source.js";
import { createJsonlSource } from "./jsonl-source.js";
import { sourceError } from "./source-error.js";
import type { Source } from "./source.js";

/**
 * The source at a path: a folder of Markdown and text files, or a JSONL file (.jsonl, .ndjson).
 *
 * @param options.maxDocumentBytes a file or line over this many bytes is set aside
 * @throws EmbError EMB_SOURCE_MISSING when nothing is there, EMB_SOURCE_INVALID when it is neither or cannot be read
 */
export async function openSource(path: string, options: { maxDocumentBytes: number }): Promise<Source> {
  if (path.trim() === "") throw sourceError("(an empty path)", Object.assign(new Error("no path"), { code: "ENOENT" }));
  let real: string;
  let isFolder: boolean;
  let isFile: boolean;
  try {
    real = await realpath(path);
    const found = await stat(real);
    isFolder = found.isDirectory();
    isFile = found.isFile();
  } catch (error) {
    throw sourceError(path, error);
  }
  if (isFolder) return createFolderSource(real, options);
  if (isFile && /\.(?:jsonl|ndjson)$/i.test(path)) return createJsonlSource(real, options);
  throw new EmbError(
    "EMB_SOURCE_INVALID",
    `source ${path}: expected a folder or a .jsonl file, found ${isFile ? "another file" : "neither"}`,
    {
      hint: isFile
        ? "Give the folder that holds the file, or write the documents as JSONL, one object a line."
        : "Give the path of a folder or of a .jsonl file.",
      context: { path },
    },
  );
}
