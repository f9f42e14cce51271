import { createHash } from "node:crypto";
import { finished } from "node:stream/promises";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { limitByHand } from "../client/by-hand.js";
import { DIMS } from "../client/texts.js";
import { documentId, documentText } from "./corpus.js";
import { mark, type Marks, type TaskOf } from "./task.js";

const COMMIT_ROWS = 2_000;
const COLUMNS = "id, hash, text, embedding";

export const handTable = (table: string): string =>
  `CREATE TABLE IF NOT EXISTS ${table} (id text COLLATE "C" PRIMARY KEY, hash bytea NOT NULL, text text NOT NULL, embedding vector(${DIMS}) NOT NULL)`;

/** Rows in PostgreSQL's binary COPY format, ASCII only, nothing checked. */
export function encodeByHand(
  ids: readonly string[],
  hashes: readonly Buffer[],
  texts: readonly string[],
  vectors: Float32Array,
): Buffer {
  const size = ids.reduce((sum, id, i) => sum + 2 + 16 + id.length + 32 + texts[i]!.length + 4 + DIMS * 4, 21);
  const bytes = Buffer.allocUnsafe(size);
  const numbers = Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  let at = bytes.write("PGCOPY\n\xff\r\n\0", "latin1");
  at = bytes.writeInt32BE(0, bytes.writeInt32BE(0, at));
  for (const [i, id] of ids.entries()) {
    at = bytes.writeInt16BE(4, at);
    at = bytes.writeInt32BE(id.length, at);
    at += bytes.write(id, at, "latin1");
    at = bytes.writeInt32BE(32, at);
    at += hashes[i]!.copy(bytes, at);
    at = bytes.writeInt32BE(texts[i]!.length, at);
    at += bytes.write(texts[i]!, at, "latin1");
    at = bytes.writeInt32BE(4 + DIMS * 4, at);
    at = bytes.writeInt16BE(0, bytes.writeInt16BE(DIMS, at));
    numbers.copy(bytes, at, i * DIMS * 4, (i + 1) * DIMS * 4);
    bytes.subarray(at, at + DIMS * 4).swap32();
    at += DIMS * 4;
  }
  bytes.writeInt16BE(-1, at);
  return bytes;
}

export async function copyByHand(client: Client, table: string, bytes: Buffer): Promise<void> {
  const stream = client.query(copyFrom(`COPY ${table} (${COLUMNS}) FROM STDIN WITH (FORMAT binary)`));
  stream.end(bytes);
  await finished(stream);
}

/** Staging and ON CONFLICT in one transaction. */
export async function upsertByHand(client: Client, table: string, bytes: Buffer): Promise<void> {
  await client.query("BEGIN");
  await copyByHand(client, "staging", bytes);
  await client.query(
    `INSERT INTO ${table} (${COLUMNS}) SELECT ${COLUMNS} FROM staging
     ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, text = excluded.text, embedding = excluded.embedding`,
  );
  await client.query("COMMIT");
}

export const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

export async function withClient<T>(database: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/**
 * The limit: documents in memory, one scan of the keys, sha256, base64 vectors of what differs, binary COPY upsert. A batch is embedded while the one
 * before is committed. No check, no checkpoint, no provenance, no lease, no version.
 */
export const runByHand = (task: TaskOf<"run-by-hand">): Promise<Marks> =>
  withClient(task.database, async (client) => {
    const table = `${task.schema}.by_hand`;
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${task.schema}`);
    await client.query(handTable(table));
    await client.query(`CREATE TEMP TABLE staging (LIKE ${table}) ON COMMIT DELETE ROWS`);
    const embed = limitByHand(new URL(task.service));
    const start = mark();
    const stored = await keysByHand(client, "id", "hash", table);
    let embedded = 0;
    let committing: Promise<void> = Promise.resolve();
    for (const batch of differing(task, stored)) {
      embedded += batch.ids.length;
      const bytes = encodeByHand(batch.ids, batch.hashes, batch.texts, await embed(batch.texts));
      await committing;
      committing = upsertByHand(client, table, bytes);
    }
    await committing;
    return { marks: { start, end: mark() }, peak_mib: process.resourceUsage().maxRSS / 1024, embedded };
  });

interface HandBatch {
  readonly ids: string[];
  readonly hashes: Buffer[];
  readonly texts: string[];
}

/** Documents whose hash is not the stored one. */
function* differing(task: TaskOf<"run-by-hand">, stored: ReadonlyMap<string, Buffer>): Generator<HandBatch> {
  let batch: HandBatch = { ids: [], hashes: [], texts: [] };
  for (let i = 0; i < task.documents; i++) {
    const id = documentId(i);
    const text = documentText(i, task.changes);
    const hash = sha256(text);
    if (stored.get(id)?.equals(hash)) continue;
    batch.ids.push(id);
    batch.hashes.push(hash);
    batch.texts.push(text);
    if (batch.ids.length < COMMIT_ROWS) continue;
    yield batch;
    batch = { ids: [], hashes: [], texts: [] };
  }
  if (batch.ids.length > 0) yield batch;
}

async function keysByHand(client: Client, id: string, hash: string, table: string): Promise<Map<string, Buffer>> {
  const { rows } = await client.query<{ id: string; hash: Buffer }>(
    `SELECT ${id} AS id, ${hash} AS hash FROM ${table}`,
  );
  return new Map(rows.map((row) => [row.id, row.hash]));
}

/** The limit of a run that changes nothing: every key and hash in one query, and the hash of every text compared with it. */
export const scanByHand = (task: TaskOf<"scan-by-hand">): Promise<Marks> =>
  withClient(task.database, async (client) => {
    const start = mark();
    const stored = await keysByHand(client, "document_id", "content_hash", `${task.schema}.documents`);
    let known = 0;
    for (let i = 0; i < task.documents; i++) {
      sha256(documentText(i, task.changes));
      if (stored.has(documentId(i))) known++;
    }
    if (known !== task.documents) throw new Error(`${known} of ${task.documents} documents are stored`);
    return { marks: { start, end: mark() }, peak_mib: process.resourceUsage().maxRSS / 1024, embedded: 0 };
  });
