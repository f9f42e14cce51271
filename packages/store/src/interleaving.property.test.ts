import * as fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isEmbError } from "@emb/manifest";
import { openCopy, type OpenedCopy } from "../test/database-copy.js";
import type { Lease } from "./runs.js";
import { batchOf, chunkOf, documentOf, hex, openSample, startFilling } from "./testing/sealed-sample.js";

const IDS = ["a", "b", "c", "d"];
let opened: OpenedCopy;
beforeAll(async () => {
  opened = await openCopy();
});
afterAll(() => opened.close());

type Step =
  | {
      readonly do: "write";
      readonly holder: number;
      readonly ids: readonly string[];
      readonly chunks: number;
      readonly behind: number;
    }
  | { readonly do: "change"; readonly id: string }
  | { readonly do: "delete"; readonly id: string }
  | { readonly do: "take over" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      holder: fc.nat(2),
      ids: fc.subarray(IDS, { minLength: 1 }),
      chunks: fc.nat(3),
      behind: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("change" as const), id: fc.constantFrom(...IDS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), id: fc.constantFrom(...IDS) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("take over" as const) }) },
);

/** What must be there: for each document its version, whether it lives, and the chunks that were committed last. */
interface Expected {
  version: bigint;
  live: boolean;
  chunks: string[];
  committed: bigint | null;
}

async function play(steps: readonly Step[]): Promise<void> {
  const { store, driver } = opened;
  const filling = await startFilling(store, IDS);
  const { writer, base, runId, record } = filling;
  const model = new Map<string, Expected>(
    IDS.map((id) => [id, { version: filling.version, live: true, chunks: [], committed: null }]),
  );
  const holders: Lease[] = [filling.lease];
  let documentsDone = 0;

  const run: { [Kind in Step["do"]]: (step: Extract<Step, { do: Kind }>) => Promise<void> } = {
    write: async ({ holder, ids, chunks, behind }) => {
      const lease = holders[Math.max(0, holders.length - 1 - holder)]!;
      const documents = ids.map((documentId) => {
        const version = model.get(documentId)!.version - BigInt(behind);
        const texts = Array.from({ length: chunks }, (_, ordinal) => `${documentId}@${version}#${ordinal}`);
        return {
          documentId,
          version,
          chunks: texts.map((text, ordinal) => chunkOf(documentId, ordinal, [1, ordinal, 0, 0], text)),
        };
      });
      const batch = batchOf(filling, documents, {
        lease,
        counters: { documents: ids.length, chunks: 0, embedded: 0, skipped: 0, failed: 0, tokens: 0 },
      });
      const written = await writer.writeBatch(batch).catch((error: unknown) => {
        if (!isEmbError(error, "EMB_LEASE_LOST")) throw error;
        return null;
      });
      expect(written !== null).toBe(lease === holders.at(-1));
      if (written === null) return;
      documentsDone += ids.length;
      const stale = documents.filter(
        ({ documentId, version }) => !model.get(documentId)!.live || model.get(documentId)!.version !== version,
      );
      expect(written.superseded).toBe(stale.length);
      for (const document of documents) {
        if (stale.includes(document)) continue;
        const expected = model.get(document.documentId)!;
        expected.chunks = document.chunks.map(({ contentHash, ordinal }) => `${ordinal}:${hex(contentHash)}`);
        expected.committed = document.version;
      }
    },
    change: async ({ id }) => {
      const version = await store.documents.nextVersion();
      await store.documents.intake({
        base,
        runId,
        source: "sample",
        documents: [documentOf(id, version, { text: `${id} at ${version}` })],
      });
      Object.assign(model.get(id)!, { version, live: true });
    },
    delete: async ({ id }) => {
      const version = await store.documents.nextVersion();
      const expected = model.get(id)!;
      const { state } = await store.documents.delete({ base, documentId: id, version });
      expect(state).toBe(expected.live ? "deleted" : "absent");
      Object.assign(expected, { version, live: false, ...(expected.live ? { chunks: [], committed: null } : {}) });
    },
    "take over": async () => {
      // the lease runs out now instead of later: the database's clock cannot be moved
      await driver.query("UPDATE emb.shards SET lease_until = clock_timestamp() WHERE run_id = $1", [runId]);
      const lease = await store.runs.claimShard(runId, { owner: "next", leaseMs: 60_000 });
      expect(lease?.fencingToken).toBeGreaterThan(holders.at(-1)!.fencingToken);
      holders.push(lease!);
    },
  };
  // oxlint-disable-next-line consistent-return -- every step returns; the compiler proves it
  const dispatch = (next: Step): Promise<void> => {
    switch (next.do) {
      case "write":
        return run.write(next);
      case "change":
        return run.change(next);
      case "delete":
        return run.delete(next);
      case "take over":
        return run["take over"](next);
    }
  };
  for (const next of steps) await dispatch(next);

  const reader = await openSample(store, filling);
  const rows = await reader.scan({ after: null, limit: 1_000 });
  for (const [id, expected] of model) {
    const own = rows.filter(({ documentId }) => documentId === id);
    expect(own.map(({ ordinal, contentHash }) => `${ordinal}:${hex(contentHash)}`)).toEqual(expected.chunks);
    for (const { documentVersion } of own) expect(documentVersion).toBe(expected.committed);
  }
  expect(rows).toHaveLength([...model.values()].reduce((sum, { chunks }) => sum + chunks.length, 0));
  const pending = await writer.readPending({ after: null, through: null, limit: 10, maxBytes: 1_000 });
  expect(pending.map(({ id }) => id)).toEqual(
    IDS.filter((id) => model.get(id)!.live && model.get(id)!.committed !== model.get(id)!.version),
  );
  expect(await reader.lag()).toBe(
    pending.length + [...model.values()].filter(({ live, chunks }) => !live && chunks.length > 0).length,
  );
  expect((await store.runs.get(runId))?.counters.documents).toBe(documentsDone);
  await store.namespaces.retire(record.id);
}

it("random interleavings of writes, changes, deletions and takeovers keep every chunk exactly once", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), play), { numRuns: 40 });
}, 300_000);
