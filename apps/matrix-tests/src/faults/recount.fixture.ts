import { pathToFileURL, fileURLToPath } from "node:url";
import { z } from "zod";
import type { FaultWorld } from "./fault-world.fixture.js";
import { lastWrite } from "./last-write.js";
import { DIMS } from "./model-service.fixture.js";
import type { Played } from "./play-schedule.fixture.js";

const VECTORS = fileURLToPath(new URL("../../../../packages/providers/test/loopback/vectors.js", import.meta.url));
const VectorOf = z.object({
  vectorOf: z.custom<(text: string, task: string, dims: number, norm: number) => Float32Array>(),
});

const Namespace = z.tuple([z.object({ id: z.int(), seal_id: z.int(), state: z.string() })]);
const Runs = z.array(z.object({ version: z.bigint(), state: z.string(), intake_done: z.boolean() }));
const Documents = z.array(z.object({ document_id: z.string(), body: z.string(), deleted: z.boolean() }));
const Rows = z.array(
  z.object({
    document_id: z.string(),
    ordinal: z.int(),
    seal_id: z.int(),
    current: z.boolean(),
    text: z.string(),
    embedding: z.string().transform((text) => z.array(z.number()).parse(JSON.parse(text))),
  }),
);
const Counters = z.tuple([
  z.object({
    documents: z.int(),
    chunks: z.int(),
    embedded: z.int(),
    skipped: z.int(),
    failed: z.int(),
    open: z.int(),
  }),
]);
const Verified = z.object({
  ok: z.boolean(),
  missing: z.int(),
  duplicate: z.int(),
  stale: z.int(),
  found: z.int(),
  expected: z.int(),
});

/**
 * What is wrong after a schedule, counted from the tables and read back by `emb verify namespace`; empty when every document is as its last write left
 * it, each chunk is there exactly once, and everything that was counted on the way is so.
 */
export async function recount(world: FaultWorld, { base, texts, changes }: Played): Promise<string[]> {
  const wrong: string[] = [];
  const expect = (name: string, seen: unknown, want: unknown) => {
    if (JSON.stringify(seen) !== JSON.stringify(want))
      wrong.push(`${name}: ${JSON.stringify(seen)}, expected ${JSON.stringify(want)}`);
  };
  const verifying = world.emb("verify", "namespace", "--profile", "far", "--base", base, "--json");
  const [namespace] = Namespace.parse(
    await world.query("SELECT id, seal_id, state FROM emb.namespaces WHERE base = $1 AND state <> 'retired'", [base]),
  );
  expect("state of the namespace", namespace.state, "ready");
  const runs = Runs.parse(
    await world.query("SELECT version, state, intake_done FROM emb.runs WHERE base = $1", [base]),
  );
  const whole = runs.filter(({ intake_done }) => intake_done);
  expect("states of runs", [...new Set(whole.map(({ state }) => state))], ["ready"]);

  const documents = Documents.parse(
    await world.query("SELECT document_id, body, deleted FROM emb.documents WHERE base = $1", [base]),
  );
  const stored = new Map(documents.map((row) => [row.document_id, row.deleted ? null : row.body]));
  const changed = new Set(changes.map(({ documentId }) => documentId));
  const otherThanLast = [...new Set([...texts.keys(), ...changed])].filter((id) => {
    const text = texts.get(id);
    const read = text === undefined ? [] : runs.map((run) => ({ ...run, text, certain: run.intake_done }));
    const last = lastWrite([...read, ...changes.filter(({ documentId }) => documentId === id)]);
    return !last.includes(stored.get(id) ?? null);
  });
  expect("documents that are not as they were written last", otherThanLast, []);
  const live = new Set([...stored].filter(([, text]) => text !== null).map(([id]) => id));

  const table = `emb.ns_${namespace.id}`;
  const rows = Rows.parse(
    await world.query(
      `SELECT n.document_id, n.ordinal, n.seal_id, n.text, n.embedding::text AS embedding,
         EXISTS (SELECT FROM emb.documents d WHERE d.base = $1 AND d.document_id = n.document_id AND d.version = n.document_version AND NOT d.deleted) AS current
       FROM ${table} n ORDER BY n.document_id, n.ordinal`,
      [base],
    ),
  );
  expect("rows of older versions", rows.filter(({ current }) => !current).length, 0);
  expect("rows under another seal", rows.filter(({ seal_id }) => seal_id !== namespace.seal_id).length, 0);
  expect(
    "documents without rows",
    [...live].filter((id) => !rows.some((row) => row.document_id === id)),
    [],
  );
  expect("documents that nobody gave", rows.filter(({ document_id }) => !live.has(document_id)).length, 0);
  const { vectorOf } = VectorOf.parse(await import(pathToFileURL(VECTORS).href));
  const otherVector = rows.filter(({ text, embedding }) => {
    const want = vectorOf(text, "", DIMS, 1);
    return embedding.some((value, place) => Math.abs(value - (want[place] ?? NaN)) > 1e-6);
  });
  expect(
    "rows with the vector of another text",
    otherVector.map(({ document_id }) => document_id),
    [],
  );

  const [counters] = Counters.parse(
    await world.query(
      `SELECT sum(documents)::integer AS documents, sum(chunks)::integer AS chunks, sum(embedded)::integer AS embedded,
         sum(skipped)::integer AS skipped, sum(failed)::integer AS failed, (count(*) FILTER (WHERE NOT done))::integer AS open
       FROM emb.shards WHERE run_id IN (SELECT id FROM emb.runs WHERE base = $1)`,
      [base],
    ),
  );
  // a document that changed is shown by its change, or by every run that has it once more
  const atLeast = [...live].filter((id) => !changed.has(id)).length;
  expect(
    `documents counted (${counters.documents}) from ${atLeast} on`,
    counters.documents - atLeast,
    Math.min(Math.max(counters.documents - atLeast, 0), changed.size * whole.length),
  );
  if (changed.size === 0) expect("chunks counted", counters.chunks, rows.length);
  expect("chunks embedded or skipped", counters.embedded + counters.skipped, counters.chunks);
  expect("chunks failed", counters.failed, 0);
  expect("shards not done", counters.open, 0);
  const versions = await world.query(
    `SELECT count(*)::integer AS n FROM ${table}_documents c JOIN emb.documents d ON d.base = $1 AND d.document_id = c.document_id AND d.version = c.version`,
    [base],
  );
  expect("documents committed in their version", versions, [{ n: live.size }]);

  const { code, stdout, stderr } = await verifying.ended;
  if (code === 0) {
    const { ok, missing, duplicate, stale, found, expected } = Verified.parse(JSON.parse(stdout));
    expect(
      "verification",
      { ok, missing, duplicate, stale, found },
      { ok: true, missing: 0, duplicate: 0, stale: 0, found: expected },
    );
    expect("rows found by it", found, rows.length);
  } else wrong.push(`emb verify namespace ended with ${code}: ${stdout}${stderr}`);
  return wrong;
}
