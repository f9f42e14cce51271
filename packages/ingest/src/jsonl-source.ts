import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { tooLarge } from "./document-file.js";
import {
  cleanText,
  decodeUtf8,
  documentIdFlaw,
  isMetadata,
  isRefusal,
  metadataFlaw,
  type Refusal,
} from "./document-text.js";
import { readLines } from "./file-lines.js";
import { sourceError } from "./source-error.js";
import type { SetAside, Source, SourceItem } from "./source.js";

/** Other keys are ignored: corpora made for other tools carry them. */
const Line = z.object({
  _id: z.string().optional(),
  id: z.string().optional(),
  title: z.string().nullish(),
  text: z.string(),
  format: z.enum(["markdown", "text"]).optional(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  version: z.int().nonnegative().optional(),
});

/**
 * A file with one JSON object on each line, in the order of its lines. `path` is a real path.
 * Memory: one line of at most `maxDocumentBytes`, and about 60 bytes for each document (measured with a million), to tell when an id comes a second time.
 */
export function createJsonlSource(path: string, { maxDocumentBytes }: { maxDocumentBytes: number }): Source {
  return { identity: `jsonl:${path}`, read: ({ signal }) => readDocuments(path, maxDocumentBytes, signal) };
}

async function* readDocuments(path: string, maxBytes: number, signal: AbortSignal): AsyncGenerator<SourceItem> {
  signal.throwIfAborted();
  const seen = new Set<string>();
  const file = await open(path, "r").catch((error: unknown) => {
    throw sourceError(path, error);
  });
  try {
    for await (const { number, bytes, length } of readLines(file, maxBytes)) {
      signal.throwIfAborted();
      const place = `${basename(path)}:${number}`;
      const item = bytes === null ? setAside(place, tooLarge(maxBytes, length), true) : readLine(bytes, place);
      if (item === null) continue;
      if (item.id !== place || item.kind === "document") {
        const key = createHash("sha256").update(item.id).digest().toString("latin1", 0, 16); // 128 bits: no two ids meet by chance
        if (seen.has(key)) {
          yield setAside(place, invalid("id: expected one that no line before has, found it a second time"), false);
          continue;
        }
        seen.add(key);
      }
      yield item;
    }
  } finally {
    await file.close();
  }
}

/** Null for a blank line. */
function readLine(bytes: Uint8Array, place: string): SourceItem | null {
  const decoded = decodeUtf8(bytes);
  if (isRefusal(decoded)) return setAside(place, decoded, true);
  if (decoded.text.trim() === "") return null;
  let value: unknown;
  try {
    value = JSON.parse(decoded.text);
  } catch {
    return setAside(place, invalid("expected a JSON object on one line, found text that is not JSON"), true); // the parser's message quotes the text
  }
  const id = idOf(value);
  if (id === null) return setAside(place, invalid('expected a string "_id" or "id", found none'), true);
  const idFlaw = documentIdFlaw(id);
  if (idFlaw !== null) return setAside(place, invalid(idFlaw), false);
  const line = Line.safeParse(value);
  if (!line.success) return setAside(id, invalid(describe(line.error)), false);
  return toItem(id, line.data);
}

function toItem(id: string, line: z.infer<typeof Line>): SourceItem {
  const text = cleanText(line.text, "text");
  if (isRefusal(text)) return setAside(id, text, false);
  const title = cleanText(line.title ?? "", "title");
  if (isRefusal(title)) return setAside(id, title, false);
  const metadata = line.metadata ?? {};
  if (!isMetadata(metadata)) return setAside(id, invalid(`metadata: ${metadataFlaw(metadata)}`), false);
  return {
    kind: "document",
    id,
    title: title.text.trim() === "" ? null : title.text,
    format: line.format ?? "text",
    text: text.text,
    metadata,
    version: line.version === undefined ? null : BigInt(line.version),
  };
}

/** `_id` before `id`; null when it is not a string. */
function idOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const id = "_id" in value ? value["_id"] : "id" in value ? value.id : null;
  return typeof id === "string" ? id : null;
}

/** What zod says without what it saw: field, expected type, seen type. */
function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? "expected a document" : `${String(issue.path[0] ?? "line")}: ${issue.message}`;
}

const invalid = (reason: string): Refusal => ({ code: "EMB_DOCUMENT_INVALID", reason });
const setAside = (id: string, { code, reason }: Refusal, hidesIds: boolean): SetAside => ({
  kind: "set-aside",
  id,
  code,
  reason,
  hidesIds,
});
