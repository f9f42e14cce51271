import { arch, cpus, platform, totalmem } from "node:os";

export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A figure that an issue asks for. `seen` and `want` are in the unit that `want` says. */
export interface BenchGoal {
  readonly name: string;
  readonly seen: number;
  readonly want: string;
  readonly ok: boolean;
}

export interface BenchReport {
  readonly name: string;
  readonly machine: string;
  readonly rounds: number;
  readonly rows: readonly BenchRow[];
  readonly goals: readonly BenchGoal[];
}

export const machine = (): string =>
  `${platform()} ${arch()}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, node ${process.version}`;

/** Of an even number, the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const row = (name: string, unit: string, values: readonly number[]): BenchRow => ({
  name,
  unit,
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** Median of the ratios round by round, which holds when the machine's speed drifts between rounds. */
export const pairedRatio = (a: readonly number[], b: readonly number[]): number =>
  median(a.map((value, round) => value / b[round]!));

export const atLeast = (name: string, seen: number, limit: number): BenchGoal => ({
  name,
  seen,
  want: `>= ${limit}`,
  ok: seen >= limit,
});
export const atMost = (name: string, seen: number, limit: number): BenchGoal => ({
  name,
  seen,
  want: `<= ${limit}`,
  ok: seen <= limit,
});

/**
 * Measures every contender once a round, in turn, so that all see the same machine.
 * @returns for each contender its values, round by round
 */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Readonly<Record<Name, (round: number) => Promise<number>>>,
): Promise<Readonly<Record<Name, number[]>>> {
  const seen = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries<(round: number) => Promise<number>>(contenders))
      seen.set(name, [...(seen.get(name) ?? []), await measure(round)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.fromEntries forgets the names, which are the contenders'
  return Object.fromEntries(seen) as Record<Name, number[]>;
}
