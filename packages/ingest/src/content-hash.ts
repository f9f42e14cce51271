import { hash } from "node:crypto";
import { canonicalJson, type Json } from "@emb/manifest";

const sha256 = (text: string): Buffer => hash("sha256", text, "buffer");

/** SHA-256 (32 bytes) of the exact text that is embedded. */
export const chunkHash = (embedText: string): Buffer => sha256(embedText);

/** SHA-256 (32 bytes) of what a reader is shown of a chunk, as the store computes it over a row. */
export const shownHash = ({ headingPath, text }: { headingPath: string; text: string }): Buffer =>
  sha256(`${headingPath}\0${text}`);

/** SHA-256 (32 bytes) over everything of a document that a reader could see; equal means that nothing has to be stored again. */
export const documentHash = (document: {
  title: string | null;
  format: string;
  text: string;
  metadata: Readonly<Record<string, Json>>;
}): Buffer => {
  const { title, format, text, metadata } = document;
  return sha256(`${canonicalJson({ title, format, metadata })}\0${text}`);
};
