import { isUtf8 } from "node:buffer";
import type { Json } from "@emb/manifest";
import type { SetAside } from "./source.js";

export const MAX_DOCUMENT_ID_BYTES = 1024;
const MAX_METADATA_DEPTH = 64;

/** Why a document cannot be taken. */
export type Refusal = Pick<SetAside, "code" | "reason">;
export const isRefusal = (value: object): value is Refusal => "code" in value && "reason" in value;

const UTF8 = new TextDecoder();

/** The text of UTF-8 bytes, without byte order mark. */
export function decodeUtf8(bytes: Uint8Array): { text: string } | Refusal {
  if (isUtf8(bytes)) return { text: UTF8.decode(bytes) };
  const mark = Buffer.from(bytes.subarray(0, 2)).toString("hex");
  const seen = mark === "fffe" || mark === "feff" ? "a UTF-16 byte order mark" : "bytes that are not";
  return { code: "EMB_DOCUMENT_INVALID", reason: `expected UTF-8, found ${seen}` };
}

/** The text with line ends as `\n`; a text that no store could keep is refused. `what` names it in the reason. */
export function cleanText(text: string, what: string): { text: string } | Refusal {
  const flaw = textFlaw(text);
  if (flaw !== null) return { code: "EMB_DOCUMENT_INVALID", reason: `${what}: ${flaw}` };
  const unmarked = text.startsWith("\ufeff") ? text.slice(1) : text;
  return { text: unmarked.includes("\r") ? unmarked.replace(/\r\n?/g, "\n") : unmarked };
}

/** What PostgreSQL or UTF-8 cannot hold in this string; null when nothing. */
function textFlaw(text: string): string | null {
  const nul = text.indexOf("\0");
  if (nul >= 0) return `expected text, found a NUL character at offset ${nul}`;
  const half = text.search(/\p{Surrogate}/u);
  return half >= 0 ? `expected valid Unicode, found half a surrogate pair at offset ${half}` : null;
}

/** Why a value that came out of JSON or YAML cannot be stored as metadata; null when it can. */
export function metadataFlaw(value: unknown, depth = 0): string | null {
  if (depth > MAX_METADATA_DEPTH) return `expected at most ${MAX_METADATA_DEPTH} levels, found more`;
  if (typeof value === "string") return textFlaw(value);
  if (typeof value === "number") return Number.isFinite(value) ? null : "expected finite numbers, found another";
  if (value === null || typeof value === "boolean") return null;
  if (typeof value !== "object") return `expected JSON values, found a ${typeof value}`;
  for (const [key, inner] of Object.entries(value)) {
    const flaw = textFlaw(key) ?? metadataFlaw(inner, depth + 1);
    if (flaw !== null) return flaw;
  }
  return null;
}

/** True for a mapping that `metadataFlaw` finds nothing wrong with. */
export const isMetadata = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && metadataFlaw(value) === null;

/** Why a string cannot be a document id; null when it can. */
export function documentIdFlaw(id: string): string | null {
  if (id.trim() === "") return "id: expected a name, found blanks only";
  const bytes = Buffer.byteLength(id);
  if (bytes > MAX_DOCUMENT_ID_BYTES) return `id: expected at most ${MAX_DOCUMENT_ID_BYTES} bytes, found ${bytes}`;
  const flaw = textFlaw(id);
  return flaw === null ? null : `id: ${flaw}`;
}
