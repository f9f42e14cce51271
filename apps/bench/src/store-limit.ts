import { setImmediate } from "node:timers/promises";
import type { DocumentChunks, SqlDriver } from "@emb/store";
import { DIMS } from "./store-rows.js";

const COLUMNS = [
  "document_id",
  "ordinal",
  "content_hash",
  "document_version",
  "seal_id",
  "run_id",
  "heading_path",
  "text",
  "embedding",
];
const RUN = "run-by-hand";

/** The namespace's columns and key, written by hand. */
export const createHandTable = (table: string, options: string): string => `
  CREATE TABLE ${table} (document_id text COLLATE "C" NOT NULL, ordinal integer NOT NULL, content_hash bytea NOT NULL,
    document_version bigint NOT NULL, seal_id integer NOT NULL, run_id text NOT NULL, embedded_at timestamptz NOT NULL DEFAULT now(),
    heading_path text NOT NULL, text text NOT NULL, embedding vector(${DIMS}) NOT NULL, PRIMARY KEY (document_id, ordinal)) ${options}`;

/** As fast as we can write it for just these rows: ASCII only, nothing checked. */
function encodeByHand(documents: readonly DocumentChunks[]): Uint8Array<ArrayBuffer> {
  let size = 21;
  for (const { documentId, chunks } of documents) {
    for (const { headingPath, text } of chunks) {
      size +=
        2 + 9 * 4 + documentId.length + 4 + 32 + 8 + 4 + RUN.length + headingPath.length + text.length + 4 + DIMS * 4;
    }
  }
  const bytes = new Uint8Array(size);
  const buffer = Buffer.from(bytes.buffer);
  const view = new DataView(bytes.buffer);
  buffer.write("PGCOPY\n\xff\r\n\0", "latin1");
  let at = 19;
  const ascii = (text: string) => {
    view.setInt32(at, text.length);
    at += 4 + buffer.write(text, at + 4, "latin1");
  };
  for (const { documentId, version, chunks } of documents) {
    for (const { ordinal, contentHash, headingPath, text, vector } of chunks) {
      view.setInt16(at, 9);
      at += 2;
      ascii(documentId);
      view.setInt32(at, 4);
      view.setInt32(at + 4, ordinal);
      view.setInt32(at + 8, 32);
      bytes.set(contentHash, at + 12);
      view.setInt32(at + 44, 8);
      view.setBigInt64(at + 48, version);
      view.setInt32(at + 56, 4);
      view.setInt32(at + 60, 1);
      at += 64;
      ascii(RUN);
      ascii(headingPath);
      ascii(text);
      view.setInt32(at, 4 + DIMS * 4);
      view.setInt16(at + 4, DIMS);
      at += 8;
      const words = new Uint32Array(vector.buffer, vector.byteOffset, DIMS);
      for (let i = 0; i < DIMS; i++, at += 4) view.setUint32(at, words[i]!);
    }
  }
  view.setInt16(at, -1);
  return bytes;
}

/**
 * The limit: one binary COPY a batch, each in its transaction, on the same worker thread; the next batch is encoded while the database copies.
 * No lease, no look at versions, no removal of old rows, no cursor, no counters. @returns milliseconds
 */
export async function copyByHand(
  driver: SqlDriver,
  table: string,
  batches: readonly (readonly DocumentChunks[])[],
): Promise<number> {
  const start = performance.now();
  let copying: Promise<void> = Promise.resolve();
  for (const batch of batches) {
    const bytes = encodeByHand(batch);
    await copying;
    copying = driver.transaction((tx) => tx.copyIn({ table, columns: COLUMNS }, bytes));
    await setImmediate(); // the driver sends it before the next batch takes this thread
  }
  await copying;
  return performance.now() - start;
}

const ROWS_PER_INSERT = 100;

/** What most clients do: INSERT with many rows and parameters as text. @returns milliseconds */
export async function insertByHand(
  driver: SqlDriver,
  table: string,
  batches: readonly (readonly DocumentChunks[])[],
): Promise<number> {
  const start = performance.now();
  for (const batch of batches) {
    const rows = batch.flatMap(({ version, chunks }) =>
      chunks.map((chunk) => [
        chunk.documentId,
        chunk.ordinal,
        chunk.contentHash,
        version,
        1,
        RUN,
        chunk.headingPath,
        chunk.text,
        `[${chunk.vector.join(",")}]`,
      ]),
    );
    await driver.transaction(async (tx) => {
      for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
        const some = rows.slice(i, i + ROWS_PER_INSERT);
        const values = some.map(
          (_, row) => `(${COLUMNS.map((__, column) => `$${row * COLUMNS.length + column + 1}`).join(", ")})`,
        );
        await tx.query(`INSERT INTO ${table} (${COLUMNS.join(", ")}) VALUES ${values.join(", ")}`, some.flat());
      }
    });
  }
  return performance.now() - start;
}
