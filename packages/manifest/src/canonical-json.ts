export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * JSON with keys sorted by UTF-16 code units and no white space (the ordering of RFC 8785): equal values give equal text
 * whatever order their keys were written in.
 * @throws TypeError for a number that JSON cannot hold (NaN, infinities)
 */
export function canonicalJson(value: Json): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`JSON holds no ${value}`);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const pairs = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`);
  return `{${pairs.join(",")}}`;
}

// Array.isArray does not narrow readonly arrays
const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
