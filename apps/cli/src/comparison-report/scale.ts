/** A place on an axis as a share of its length: plots are drawn in percent, so that they fill any width and their words keep their size. */
export interface Scale {
  readonly least: number;
  readonly most: number;
  /** 0 to 1; values outside stand at the ends. */
  at(value: number): number;
}

export function linearScale(least: number, most: number): Scale {
  const span = most - least;
  return { least, most, at: (value) => (span === 0 ? 0.5 : Math.min(1, Math.max(0, (value - least) / span))) };
}

/** For values above 0. */
export function logScale(least: number, most: number): Scale {
  const powers = linearScale(Math.log(least), Math.log(most));
  return { least, most, at: (value) => powers.at(Math.log(value)) };
}

/** From the least to the most of the values, with some air on both sides. */
export function scaleAround(values: readonly number[], air = 0.08): Scale {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const room = (most - least) * air || Math.abs(most) * air || 1;
  return linearScale(least - room, most + room);
}

/** Round numbers within a scale, about `wanted` of them: steps of 1, 2 or 5 times a power of ten. */
export function ticks({ least, most }: Scale, wanted = 5): number[] {
  const span = most - least;
  if (!(span > 0)) return [least];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? power * 10;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, place) => Number(((first + place) * step).toPrecision(12)));
}

/** Decimals that tell the ticks apart. */
export function decimalsOf(values: readonly number[]): number {
  const step = values.length < 2 ? 1 : Math.abs(values[1]! - values[0]!);
  return Math.min(6, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}

/** A share as an SVG length. */
export const percent = (part: number): string => `${Number((part * 100).toFixed(3))}%`;
