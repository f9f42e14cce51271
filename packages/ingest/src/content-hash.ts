import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "@emb/manifest";

/** SHA-256 (32 bytes) of the exact text that is embedded. */
export const chunkHash = (embedText: string): Buffer => createHash("sha256").update(embedText, "utf8").digest();

/** SHA-256 (32 bytes) of what a reader is shown of a chunk, as the store computes it over a row. */
export const shownHash = ({ headingPath, text }: { headingPath: string; text: string }): Buffer =>
  createHash("sha256").update(headingPath, "utf8").update("\0").update(text, "utf8").digest();

/** SHA-256 (32 bytes) over everything of a document that a reader could see; equal means that nothing has to be stored again. */
export const documentHash = (document: {
  title: string | null;
  format: string;
  text: string;
  metadata: Readonly<Record<string, Json>>;
}): Buffer => {
  const { title, format, text, metadata } = document;
  return createHash("sha256")
    .update(canonicalJson({ title, format, metadata }), "utf8")
    .update("\0")
    .update(text, "utf8")
    .digest();
};
