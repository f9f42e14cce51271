import { atLeast, pairedRatio, row, type BenchGoal } from "../report.js";
import { secondsBetween, type BenchWorld } from "./bench-world.js";
import { measured, takeIn, type Section } from "./fill.js";

const PEER_DOCUMENTS = 10_000;

/** A second run over a source in which nothing changed: from its start until it knows that nothing is to be done. Verification comes after that. */
export async function measureUnchanged(world: BenchWorld, rounds: number, documents: number): Promise<Section> {
  const seen = { limit: [] as number[], emb: [] as number[], peer: [] as number[] };
  let embedded = 0;
  let writes: Writes = { documents: 0, bookkeeping: 0 };
  await measured(world, (schema) =>
    measured(world, async (peerSchema) => {
      const peer = () => world.run({ name: "langchain-index", schema: peerSchema, documents: PEER_DOCUMENTS });
      const emb = () => world.run({ name: "reingest", until: "index", schema, documents, ...takeIn });
      await emb();
      await peer();
      await world.sql.query("VACUUM ANALYZE"); // as the server does by itself within a minute
      for (let round = 0; round < rounds; round++) {
        await world.settle();
        const scanned = await world.run({ name: "scan-by-hand", schema, documents, changes: [] });
        seen.limit.push(documents / secondsBetween(scanned, "start", "end"));
        await world.countAnswers();
        const before = await writesOf(world, schema);
        const marks = await emb();
        const after = await writesOf(world, schema);
        seen.emb.push(documents / secondsBetween(marks, "run", "index"));
        embedded += await world.answered();
        writes = {
          documents: writes.documents + after.documents - before.documents,
          bookkeeping: after.bookkeeping - before.bookkeeping,
        };
        const peered = await peer();
        if (peered.embedded !== 0) throw new Error(`LangChain added ${peered.embedded} documents again`);
        seen.peer.push(PEER_DOCUMENTS / secondsBetween(peered, "start", "end"));
      }
    }),
  );
  return {
    rows: [
      row("nothing changed: hash and one key scan by hand", "docs/s", seen.limit),
      row("nothing changed: emb", "docs/s", seen.emb),
      row("nothing changed: LangChain index()", "docs/s", seen.peer),
      row("nothing changed: rows written about the run itself", "rows", [writes.bookkeeping]),
    ],
    goals: [
      atLeast("nothing changed: emb / hand-written", pairedRatio(seen.emb, seen.limit), 0.7),
      atLeast("nothing changed: emb / LangChain index()", pairedRatio(seen.emb, seen.peer), 6),
      exactly("nothing changed: texts embedded", embedded, 0),
      exactly("nothing changed: rows written to documents and namespaces", writes.documents, 0),
    ],
  };
}

export const exactly = (name: string, seen: number, want: number): BenchGoal => ({
  name,
  seen,
  want: `= ${want}`,
  ok: seen === want,
});

interface Writes {
  /** To documents, to what a run saw of them, and to every namespace's tables. */
  readonly documents: number;
  /** To runs, shards, the ledger and the audit log: a few for each run. */
  readonly bookkeeping: number;
}

/** Rows inserted, updated and deleted so far, as the server counts them. */
async function writesOf({ sql }: BenchWorld, schema: string): Promise<Writes> {
  await new Promise((done) => setTimeout(done, 300)); // a session tells the server's counters when it ends
  const { rows } = await sql.query<Record<keyof Writes, number>>(
    `SELECT coalesce(sum(n) FILTER (WHERE about_documents), 0)::integer AS documents,
       coalesce(sum(n) FILTER (WHERE NOT about_documents), 0)::integer AS bookkeeping
     FROM (SELECT n_tup_ins + n_tup_upd + n_tup_del AS n, relname ~ '^(documents|seen|changes|ns_.*)$' AS about_documents
       FROM pg_stat_user_tables WHERE schemaname = $1) AS t`,
    [schema],
  );
  return rows[0]!;
}
