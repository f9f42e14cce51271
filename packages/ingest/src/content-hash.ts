import { hash } from "node:crypto";
import { canonicalJson, type Json } from "@emb/manifest";

/** By way of a string: a buffer that OpenSSL fills is an allocation of its own, which doubles the time. */
const sha256 = (text: string): Buffer => Buffer.from(hash("sha256", text, "binary"), "latin1");

/** SHA-256 (32 bytes) of the exact text that is embedded. */
export const chunkHash = (embedText: string): Buffer => sha256(embedText);

/** SHA-256 (32 bytes) of what a reader is shown of a chunk, as the store computes it over a row. */
export const shownHash = ({ headingPath, text }: { headingPath: string; text: string }): Buffer =>
  sha256(`${headingPath}\0${text}`);

/** SHA-256 (32 bytes) over everything of a document that a reader could see; equal means that nothing has to be stored again. */
export const documentHash = (document: {
  title: string | null;
  format: "markdown" | "text";
  text: string;
  metadata: Readonly<Record<string, Json>>;
}): Buffer => {
  const { title, format, text, metadata } = document;
  // canonicalJson({ title, format, metadata }), written out: it is done for every document of every run
  const about = isEmpty(metadata) ? "{}" : canonicalJson(metadata);
  const head = `{"format":"${format}","metadata":${about},"title":${title === null ? "null" : JSON.stringify(title)}}`;
  return sha256(`${head}\0${text}`);
};

function isEmpty(metadata: Readonly<Record<string, Json>>): boolean {
  for (const key in metadata) if (Object.hasOwn(metadata, key)) return false;
  return true;
}
