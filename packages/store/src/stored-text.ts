import { EmbError } from "@emb/manifest";
import type { IncomingDocument } from "./documents.js";

const MAX_ID_BYTES = 1_024;
// the same two, as JSON.stringify writes them: an escape is one only after an even number of backslashes
const BROKEN_JSON_TEXT = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

const invalid = (id: string, message: string, hint: string) =>
  new EmbError("EMB_DOCUMENT_INVALID", `document ${JSON.stringify(id.slice(0, 200))}: ${message}`, {
    hint,
    context: { documentId: id.slice(0, 200) },
  });

/** The text of `metadata` as it is stored. */
export const metadataJson = (document: IncomingDocument): string => JSON.stringify(document.metadata);

/** @throws EmbError EMB_DOCUMENT_INVALID names the document whose id cannot be a key */
export function checkStorableId(id: string): void {
  const idBytes = Buffer.byteLength(id);
  if (idBytes === 0 || idBytes > MAX_ID_BYTES) {
    throw invalid(
      id,
      `expected an id of 1 to ${MAX_ID_BYTES} bytes, got ${idBytes}`,
      "Give the document a shorter id.",
    );
  }
  checkText(id, "id", id);
}

/**
 * What PostgreSQL cannot store as it is, it must not get: a stored document is the same as the one that came.
 * @throws EmbError EMB_DOCUMENT_INVALID names the document
 */
export function checkStorable(document: IncomingDocument): void {
  const { id, title, text } = document;
  checkStorableId(id);
  checkText(id, "title", title ?? "");
  checkText(id, "text", text);
  if (BROKEN_JSON_TEXT.test(metadataJson(document))) {
    throw invalid(
      id,
      "its metadata holds a NUL character or half of a surrogate pair",
      "Remove those characters from the metadata.",
    );
  }
  if (document.contentHash.byteLength !== 32) {
    throw invalid(id, `expected a content hash of 32 bytes, got ${document.contentHash.byteLength}`, "Report this.");
  }
}

function checkText(id: string, name: "id" | "title" | "text", value: string): void {
  if (value.includes("\0"))
    throw invalid(id, `its ${name} holds a NUL character`, "Remove the NUL characters: it may be a binary file.");
  // a surrogate without its other half is no character: UTF-8 has no form for it
  if (!value.isWellFormed()) {
    throw invalid(id, `its ${name} holds half of a surrogate pair`, "Write the text again as UTF-8.");
  }
}
