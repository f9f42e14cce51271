import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, type Ended, type Project } from "./command.fixture.js";

const DOCUMENTS = 320;
const SOME_COMMITTED = /^fill .* [1-9]\d* chunks, /m;
const FILL = ["reingest", "--to", "one", "--source", "long.jsonl", "--yes"];

/** Long enough that the fill takes several seconds on any machine; every text different. */
const LONG = Array.from({ length: DOCUMENTS }, (_, place) => {
  const text = Array.from({ length: 60 }, (_word, word) => `ferry${(place * 31 + word * 7) % 997}`).join(" ");
  return JSON.stringify({ id: `d${String(place).padStart(4, "0")}`, text: `${place}: ${text}` });
}).join("\n");

describe("a re-ingest that is stopped half way", () => {
  let project: Project;
  beforeEach(async () => {
    project = await createProject({
      "config/production.yaml": "embedding: { profile: one }\ningest: { commit_rows: 32, shard_documents: 300 }\n",
      "long.jsonl": LONG,
    });
  });
  afterEach(() => project.remove());

  /** Starts the fill and stops it when it has told of its own first commits. */
  const stopHalfWay = async (signal: NodeJS.Signals): Promise<Ended> => {
    const running = project.start(FILL);
    await running.says(SOME_COMMITTED);
    return running.kill(signal);
  };
  const state = async () => {
    const { namespaces, runs } = documentOf(await project.emb(["status", "--json"]), Status);
    return { runs: runs.map((run) => run.state), chunks: namespaces[0]?.chunks ?? 0 };
  };

  it(
    "is finished by the same command after kill -9 and after SIGINT, with nothing twice and nothing lost",
    { timeout: 600_000 },
    async () => {
      const killed = await stopHalfWay("SIGKILL");
      expect(killed.code).toBeNull();
      expect(killed.stderr).not.toContain("its source was read at");
      const afterKill = await state();
      expect(afterKill.runs).toEqual(["fill"]);
      expect(afterKill.chunks).toBeGreaterThan(0);
      expect(afterKill.chunks).toBeLessThan(DOCUMENTS);

      const interrupted = await stopHalfWay("SIGINT");
      expect(interrupted.code).toBe(130);
      expect(interrupted.stdout).toBe("");
      expect(interrupted.stderr).toMatch(/^going on with run .+\nits source was read at \d{4}-\d\d-\d\dT.+Z: run /m);
      expect(interrupted.stderr.trimEnd().split("\n").slice(-2)).toEqual([
        "error EMB_INTERRUPTED interrupted; everything committed so far is kept",
        "  -> Go on with the same command: emb reingest --to one --source long.jsonl --base docs --yes",
      ]);
      const afterInterrupt = await state();
      expect(afterInterrupt.runs).toEqual(["fill"]);
      expect(afterInterrupt.chunks).toBeGreaterThan(afterKill.chunks);
      expect(afterInterrupt.chunks).toBeLessThan(DOCUMENTS);

      const finished = await project.emb([...FILL, "--json"]);
      expect(finished.code).toBe(0);
      // Counted over all three processes, in the transactions that stored the vectors: a text embedded twice would be counted twice.
      expect(documentOf(finished, Reingested)).toMatchObject({
        state: "ready",
        resumed: true,
        documents: DOCUMENTS,
        chunks: { total: DOCUMENTS, embedded: DOCUMENTS, skipped: 0, failed: 0 },
        drift_pct: 0,
      });
      // The last process embedded only what was not stored yet.
      const own = finished.stderr.split("\n").findLast((line) => line.startsWith("fill "));
      expect(own).toContain(
        `  ${DOCUMENTS - afterInterrupt.chunks} chunks, ${DOCUMENTS - afterInterrupt.chunks} embedded`,
      );

      const verified = await project.emb(["verify", "namespace", "--json"]);
      expect(verified.code).toBe(0);
      const nothing = { missing: 0, duplicate: 0, stale: 0, drift_pct: 0 };
      expect(documentOf(verified, Verified)).toEqual({ ok: true, expected: DOCUMENTS, found: DOCUMENTS, ...nothing });
    },
  );
});

const Status = z.object({
  namespaces: z.array(z.object({ chunks: z.number() })),
  runs: z.array(z.object({ state: z.string() })),
});
const Reingested = z.object({
  state: z.string(),
  resumed: z.boolean(),
  documents: z.number(),
  chunks: z.object({ total: z.number(), embedded: z.number(), skipped: z.number(), failed: z.number() }),
  drift_pct: z.number(),
});
const Verified = z.object({
  ok: z.boolean(),
  expected: z.number(),
  found: z.number(),
  missing: z.number(),
  duplicate: z.number(),
  stale: z.number(),
  drift_pct: z.number(),
});
