import type { Comparison } from "@emb/eval";

/** Where a service that cuts by score is to cut from now on, as a sentence without its full stop: our words, and the names in between. Null: not asked. */
export function calibrationWords({
  calibration,
  baseline,
  candidate,
}: Pick<Comparison, "calibration" | "baseline" | "candidate">): (string | { name: string })[] | null {
  if (calibration === null) return null;
  const { keep, baselineThreshold, kept, threshold, reached, best, lower, upper } = calibration;
  const [from, to] = [{ name: baseline.name }, { name: candidate.name }];
  if (calibration.baselineShown === 0)
    return [`there is no ${keep} to keep: `, from, ` has no result with a score of ${baselineThreshold} or more`];
  const before = [`${keep} ${number(kept)} that `, from, ` has from ${baselineThreshold} on`];
  if (kept === null || kept === 0)
    return [
      `there is no ${keep} to keep: no relevant result of `,
      from,
      ` has a score of ${baselineThreshold} or more`,
    ];
  if (threshold === null)
    return [
      "no score threshold of ",
      to,
      " keeps the ",
      ...before,
      best === null ? ": it has no results" : `: its best is ${number(best)}`,
    ];
  return [
    `score threshold ${threshold} (${bound(lower)} to ${bound(upper)}) of `,
    to,
    " keeps the ",
    ...before,
    `: it has ${number(reached)}, and shows ${calibration.candidateShown} results where it was ${calibration.baselineShown}`,
  ];
}

const number = (value: number | null): string => (value === null ? "unknown" : value.toFixed(4));

/** Scores are on any scale. */
const bound = (value: number | null): string => (value === null ? "no bound" : String(Number(value.toPrecision(4))));
