import { EmbError, type Json } from "@emb/manifest";
import type { IncomingDocument } from "@emb/store";
import { documentHash } from "./content-hash.js";
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
import { readMarkdownFile } from "./front-matter.js";

/** The source of documents that are put one by one: no run takes one for gone. */
export const LIVE_SOURCE = "put";

/**
 * A document that somebody puts, held to the rules of every source. Markdown may bring title and metadata in its front matter; what is given beside
 * it goes first.
 * @throws EmbError EMB_DOCUMENT_INVALID, EMB_DOCUMENT_TOO_LARGE; never with a word of the text
 */
export function readLiveDocument(given: {
  id: string;
  bytes: Uint8Array;
  format: "markdown" | "text";
  title: string | null;
  metadata: unknown;
  maxBytes: number;
}): Omit<IncomingDocument, "version" | "ownVersion"> {
  const { id, bytes, format, maxBytes } = given;
  const flaw = documentIdFlaw(id);
  if (flaw !== null) throw refused(id, { code: "EMB_DOCUMENT_INVALID", reason: flaw });
  if (bytes.byteLength > maxBytes) throw refused(id, tooLarge(maxBytes, bytes.byteLength));
  const text = accepted(
    id,
    chain(decodeUtf8(bytes), (decoded) => cleanText(decoded.text, "text")),
  ).text;
  const title = given.title === null ? null : accepted(id, cleanText(given.title, "title")).text;
  const metadata = given.metadata ?? {};
  if (!isMetadata(metadata))
    throw refused(id, {
      code: "EMB_DOCUMENT_INVALID",
      reason: `metadata: ${metadataFlaw(metadata) ?? "expected a JSON object"}`,
    });
  const read =
    format === "markdown"
      ? readMarkdownFile(text)
      : { title: null, text, metadata: {} as Readonly<Record<string, Json>> };
  const content = {
    title: title === null || title.trim() === "" ? read.title : title,
    format,
    text: read.text,
    metadata: { ...read.metadata, ...metadata },
  };
  return { id, ...content, contentHash: documentHash(content) };
}

const chain = <A extends object, B>(value: A | Refusal, next: (value: A) => B | Refusal): B | Refusal =>
  isRefusal(value) ? value : next(value);

function accepted<T extends object>(id: string, value: T | Refusal): T {
  if (isRefusal(value)) throw refused(id, value);
  return value;
}

const refused = (id: string, { code, reason }: Refusal): EmbError =>
  new EmbError(code, `document ${JSON.stringify(id.slice(0, 200))}: ${reason}`, {
    hint: "Nothing was stored; repair the document and put it again.",
    context: { documentId: id.slice(0, 200) },
  });
