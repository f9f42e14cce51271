import { changes, documents, reader, writer, type Breakage } from "./breakage.js";
import type { changeChecks } from "./change-checks.js";

const newest = 2n ** 40n;

/** For every promise about the queue of changes a store that breaks it. */
export const brokenChanges: Record<keyof typeof changeChecks, Breakage> = {
  "a deletion takes what was queued and what was set aside with it": documents((own) => ({
    delete: async (deletion) => ({
      ...(await own.put({
        base: deletion.base,
        source: "put",
        document: {
          id: deletion.documentId,
          title: null,
          format: "text",
          text: "",
          metadata: {},
          version: newest,
          contentHash: new Uint8Array(32),
        },
      })),
      state: "deleted",
    }),
  })),
  "a change has one taker until its claim runs out, the oldest first": changes((own) => ({
    claim: (claim) => own.claim({ ...claim, claimMs: 0 }),
  })),
  "a change that is put off waits and counts the attempt, unless its document changed": changes((own) => ({
    postpone: (postponed) => own.postpone({ ...postponed, waitMs: 0 }),
  })),
  "what is shown leaves the queue, and replaces what was there": writer((own, store) => ({
    writeChanges: async (batch) => {
      const written = await own.writeChanges(batch);
      await own.forget(batch.documents.map(({ documentId }) => documentId));
      await store.changes.queuePending(own.record.id);
      return written;
    },
  })),
  "an older change is never written over a newer one, and stays queued": writer((own, store) => ({
    writeChanges: async (batch) => {
      const live = await store.documents.read({ base: own.record.base, after: null, through: null, limit: 1_000 });
      const versions = new Map(live.map(({ id, version }) => [id, version]));
      return own.writeChanges({
        ...batch,
        documents: batch.documents.map((document) => ({
          ...document,
          version: versions.get(document.documentId) ?? document.version,
        })),
      });
    },
  })),
  "a change that a fill has shown already is settled, one that it has not stays": writer((own) => ({
    writeChanges: (batch) => own.writeChanges({ ...batch, settled: [] }),
  })),
  "refused texts are set aside with their reason, until the document changes or they are asked for": writer((own) => ({
    writeChanges: (batch) => own.writeChanges({ ...batch, failures: [] }),
  })),
  "a change that is given up is set aside whole and lags, until its document changes or it is asked for": changes(
    (own) => ({ giveUp: (given) => own.giveUp({ ...given, change: { ...given.change, version: newest } }) }),
  ),
  "what a run's older version was refused for is over once the change is shown": writer((own) => ({
    writeChanges: (batch) => own.writeChanges({ ...batch, documents: [] }),
  })),
  "what an ended run left is queued, once": changes(() => ({ queuePending: () => Promise.resolve(2) })),
  "how a namespace stands to a document is told at one moment": reader((own) => ({
    standing: async (ids) => (await own.standing(ids)).map((standing) => ({ ...standing, change: null })),
  })),
  "documents and chunks are read by their ids alone": documents((own) => ({
    read: ({ base, after, through, limit }) => own.read({ base, after, through, limit }),
  })),
  "changes that wait have an age": changes((own) => ({
    counts: async () => (await own.counts()).map((count) => ({ ...count, oldestAgeMs: Date.now() })),
  })),
  "what live changes take adds up for each namespace, and an unknown price stays unknown": changes((own) => ({
    recordSpend: (id, spent) => own.recordSpend(id, { ...spent, costUsd: spent.costUsd ?? 0 }),
  })),
};
