import { documents, shadowReads, type Breakage } from "./breakage.js";
import type { shadowChecks } from "./shadow-checks.js";

/** For every promise about shadow reads a store that breaks it. */
export const brokenShadowReads: Record<keyof typeof shadowChecks, Breakage> = {
  "a shadow read is kept as it came, and listed newest first": shadowReads((own) => ({
    record: (read) => own.record({ ...read, query: read.query.trim() }),
  })),
  "a shadow read that lists a document deleted meanwhile is not kept": shadowReads((own) => ({
    record: async (read) => {
      const { documents: found } = read.candidate;
      const kept = await own.record({ ...read, candidate: { ...read.candidate, documents: [] } });
      return kept || found.length === 0;
    },
  })),
  "shadow reads are counted by base and by pair of profiles": shadowReads((own) => ({
    counts: async (base) => (await own.counts(base)).map((row) => ({ ...row, answered: row.reads })),
  })),
  "queries are sampled by a seed, each text once": shadowReads((own) => ({
    sampleQueries: async ({ base, limit }) => (await own.list({ base, limit })).map(({ query }) => query),
  })),
  "no more shadow reads are kept than asked for, and none that is older": shadowReads((own) => ({
    prune: ({ base, keep }) => own.prune({ base, keep, maxAgeMs: 3_600_000 }),
  })),
  "an erased document takes the shadow reads that list it with it, and no others": documents((own) => ({
    delete: (deletion) => own.delete({ ...deletion, erase: false }),
  })),
  "a query with a character that no text holds is refused": shadowReads((own) => ({
    record: (read) => own.record({ ...read, query: read.query.replaceAll("\0", "") }),
  })),
};
