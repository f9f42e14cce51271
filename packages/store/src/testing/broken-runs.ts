import { runs, unsorted, writer, type Breakage } from "./breakage.js";
import type { runChecks } from "./run-checks.js";

/** Answers instead of refusing. */
const forgiving = async <T>(call: () => Promise<T>, answer: () => Promise<T> | T): Promise<T> => {
  try {
    return await call();
  } catch {
    return answer();
  }
};

export const brokenRuns: Record<keyof typeof runChecks, Breakage> = {
  "a run starts in plan and is found": runs((own) => ({
    get: async (id) => {
      const run = await own.get(id);
      return run === null ? null : { ...run, documentsTotal: 0 };
    },
  })),
  "runs are listed newest first, by base and state": runs((own) => ({
    list: async (filter) => unsorted(await own.list(filter)),
  })),
  "of runs that begin at once for a namespace one is made, and none beside an unfinished one": runs((own) => ({
    createAlone: async (run, unless) =>
      (await own.list({ base: run.base, states: unless })).length > 0 ? null : own.create(run),
  })),
  "a step is taken only from the states it names": runs((own) => ({
    transition: (id, step) => own.transition(id, { ...step, from: ["plan", ...step.from] }),
  })),
  "shards cover every document once and are cut once": runs((own) => ({
    claimShard: async (...call) => {
      const lease = await own.claimShard(...call);
      return lease === null ? null : { ...lease, through: null };
    },
  })),
  "shards are cut of what is pending, and of nothing else, and name it where it is little": runs((own) => ({
    claimShard: async (...call) => {
      const lease = await own.claimShard(...call);
      return lease === null ? null : { ...lease, documentIds: null };
    },
  })),
  "a run keeps how many set-aside texts it accepts": runs(() => ({ acceptFailures: async () => {} })),
  "a partial run fills the documents of its scope and no others": writer((own) => ({
    readPending: ({ ids: _forgotten, ...page }) => own.readPending(page),
  })),
  "a shard has one holder, and none is free after the last": runs((own) => ({
    claimShard: async (id, claim) => {
      const lease = await own.claimShard(id, claim);
      return (
        lease ?? {
          runId: id,
          shard: 0,
          fencingToken: 1n,
          leaseMs: claim.leaseMs,
          after: null,
          through: null,
          cursor: null,
          documentIds: null,
        }
      );
    },
  })),
  "a lease that ran out is taken over with a higher token and the last cursor": runs((own) => ({
    claimShard: async (...call) => {
      const lease = await own.claimShard(...call);
      return lease === null ? null : { ...lease, cursor: null };
    },
  })),
  "a renewed lease holds on, a lost one is refused": runs((own) => ({
    renew: (lease) =>
      forgiving(
        () => own.renew(lease),
        () => undefined,
      ),
  })),
  "a released shard is free at once, and releasing a lost lease is no error": runs((own) => ({
    release: async (lease) => {
      await own.renew(lease);
      await own.release(lease);
    },
  })),
  "a completed shard is done for good": runs((own) => ({ complete: (lease) => own.release(lease) })),
  "a lost lease cannot complete its shard": runs((own) => ({
    complete: (lease) => own.complete({ ...lease, fencingToken: lease.fencingToken + 1n }),
  })),
  "what a run spends adds up, and an unknown price stays unknown": runs((own) => ({
    settleSpend: (id, { spent, ...more }) =>
      own.settleSpend(id, { ...more, spent: { ...spent, costUsd: spent.costUsd ?? 0 } }),
  })),
  "nothing is set apart past the limit, by any number of callers": runs((own) => {
    let looked: ReturnType<typeof own.get> | undefined;
    return {
      reserveSpend: async (id, atMost) => {
        const { spend } = (await (looked ??= own.get(id)))!; // looked once and then written: callers at the same time pass
        const left = (spend.maxCostUsd ?? Infinity) - (spend.costUsd ?? 0) - spend.reserved.costUsd;
        if (left < atMost.costUsd) return { leftUsd: left };
        await own.settleSpend(id, {
          spent: { tokens: 0, costUsd: 0 },
          reserved: { tokens: -atMost.tokens, costUsd: -atMost.costUsd },
        });
        return null;
      },
    };
  }),
  "the later reason of a failure stands": runs((own) => ({
    failures: async (id, limit) => unsorted(await own.failures(id, limit)),
  })),
};
