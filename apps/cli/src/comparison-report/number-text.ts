/** Numbers as the report writes them. */

const MINUS = "\u2212";

export const share = (value: number | null): string => (value === null ? "\u2013" : value.toFixed(4));

/** With its sign, also a plus; zero has none. Decimals: 4, or as many as are given. */
export function signed(value: number | null, decimals = 4): string {
  if (value === null) return "\u2013";
  const text = Math.abs(value).toFixed(decimals);
  return Number(text) === 0 ? text : `${value < 0 ? MINUS : "+"}${text}`;
}

export const whole = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 0 });

/** "1 query", "2 queries". */
export const counted = (count: number, one: string, many: string): string =>
  `${whole(count)} ${count === 1 ? one : many}`;

export const milliseconds = (value: number | undefined): string =>
  value === undefined ? "\u2013" : value >= 100 ? whole(value) : value.toPrecision(3);

export const pValue = (value: number | null): string =>
  value === null ? "\u2013" : value < 0.0001 ? "< 0.0001" : value.toFixed(value < 0.1 ? 4 : 2);
