import { rateLimits, wakeups, workers, type Breakage } from "./breakage.js";
import type { workerChecks } from "./worker-checks.js";

export const brokenWorkers: Record<keyof typeof workerChecks, Breakage> = {
  "no minute holds more requests or tokens than the limit, whoever asks": rateLimits((own) => ({
    reserve: (request) => own.reserve({ ...request, tokensPerMinute: null }),
  })),
  "a worker is listed with the shards it holds, from its first report until it leaves": workers((own) => ({
    list: async (filter) => (await own.list(filter)).map((worker) => ({ ...worker, shards: 0 })),
  })),
  "a worker that was killed is forgotten by the next sign of life of another": workers((own) => ({
    report: (report) => own.report(report),
  })),
  "a silent worker is not listed, and a sign of life brings it first": workers((own) => ({
    list: () => own.list({ withinMs: 60_000 }),
  })),
  "wake-ups come with the shards, one for each of at most 64, and each is taken once": wakeups((own) => {
    let extra = false;
    return {
      async take() {
        if (await own.take()) return true;
        extra = !extra;
        return extra;
      },
    };
  }),
};
