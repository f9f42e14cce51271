import { verdicts, type Breakage } from "./breakage.js";
import type { verdictChecks } from "./verdict-checks.js";

/** For every promise about verdicts a store that breaks it. */
export const brokenVerdicts: Record<keyof typeof verdictChecks, Breakage> = {
  "a verdict is kept as it came, to the last digit": verdicts((own) => ({
    keep: (verdict) =>
      own.keep({ ...verdict, difference: verdict.difference && Number(verdict.difference.toFixed(6)) }),
  })),
  "verdicts are listed newest first, as many as asked for": verdicts((own) => ({
    list: async (filter) => (await own.list(filter)).toReversed(),
  })),
  "verdicts are listed by base and by either profile": verdicts((own) => ({
    list: ({ limit, base, baseline }) =>
      own.list({ limit, ...(base !== undefined && { base }), ...(baseline !== undefined && { baseline }) }),
  })),
};
