import { EmbError } from "@emb/manifest";
import { systemCode } from "./document-file.js";
import type { Source } from "./source.js";

/** The error for a source's own place that cannot be opened. */
export function sourceError(path: string, error: unknown): EmbError {
  const code = systemCode(error);
  if (code === "ENOENT") {
    return new EmbError("EMB_SOURCE_MISSING", `source ${path}: expected a folder or a JSONL file, found nothing`, {
      hint: "Check the path: it is taken from the working directory unless it starts with a slash.",
      context: { path },
    });
  }
  return new EmbError(
    "EMB_SOURCE_INVALID",
    `source ${path}: expected a folder that can be listed or a JSONL file, the file system answered ${code}`,
    {
      hint: "Give the path of a folder or of a .jsonl file that this user may read.",
      context: { path },
      cause: error,
    },
  );
}

export const emptySource = ({ identity, partial }: Pick<Source, "identity" | "partial">): EmbError =>
  new EmbError(
    "EMB_SOURCE_EMPTY",
    `source ${identity}${partial === undefined ? "" : ` (${partial})`}: expected at least one document, found none`,
    {
      hint:
        partial === undefined
          ? "Check what it names: a folder is read for .md, .markdown and .txt files, a table or query for its rows."
          : "Check what --scope asks for: a glob is matched against document ids, a value against metadata.",
      context: { source: identity },
    },
  );

export const nothingStored = (base: string): EmbError =>
  new EmbError("EMB_SOURCE_EMPTY", `base ${base}: expected stored documents, found none`, {
    hint: "Give a source to read: --source PATH.",
    context: { base },
  });
