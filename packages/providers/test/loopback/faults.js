// @ts-check
import { z } from "zod";
import { raw } from "./json-writer.js";

/** Which requests a fault meets. All that are given must hold. */
const When = z.strictObject({
  /** A text holds this. */
  marker: z.string().optional(),
  /** base64 is asked for. */
  base64: z.boolean().optional(),
  /** More texts than this. */
  moreThan: z.int().optional(),
  /** More requests than this under way, this one included. */
  inFlightAbove: z.int().optional(),
  path: z.string().optional(),
  /** Only each nth request that the rest of this meets. */
  every: z.int().optional(),
});

const headers = z.record(z.string(), z.string());
const style = z.strictObject({
  whitespace: z.boolean().optional(),
  reverseKeys: z.boolean().optional(),
  extraFields: z.boolean().optional(),
  exponents: z.boolean().optional(),
  escapes: z.boolean().optional(),
});

const What = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  /** `echo`: the body and a header repeat the key and the texts. */
  z.strictObject({
    kind: z.literal("status"),
    status: z.int(),
    headers: headers.optional(),
    echo: z.boolean().optional(),
    messageBytes: z.int().optional(),
  }),
  /** A body that is sent as it is. */
  z.strictObject({ kind: z.literal("body"), body: z.string(), contentType: z.string().optional() }),
  /** The list of vectors as a whole. */
  z.strictObject({
    kind: z.literal("items"),
    how: z.enum(["reorder", "drop", "double", "extra", "misnumber", "same-number", "negative", "fraction", "none"]),
  }),
  /** The vector of the last text. */
  z.strictObject({
    kind: z.literal("vector"),
    how: z.enum([
      "short",
      "long",
      "empty",
      "nan",
      "infinity",
      "overflow",
      "infinity-token",
      "null",
      "null-component",
      "string-component",
      "zero",
      "scaled",
      "number",
      "half-bytes",
      "not-base64",
    ]),
  }),
  /** The sparse row of the last text. */
  z.strictObject({
    kind: z.literal("sparse"),
    how: z.enum(["lengths", "doubled", "unordered", "negative", "fraction", "nan-token", "null"]),
  }),
  z.strictObject({ kind: z.literal("model"), model: z.string() }),
  /** The sound body, cut; its length says that it is whole. */
  z.strictObject({ kind: z.literal("truncated") }),
  /** The beginning of a sound body, then numbers without end. */
  z.strictObject({ kind: z.literal("huge"), bytes: z.int(), contentLength: z.boolean().optional() }),
  /** The sound body, a byte at a time. */
  z.strictObject({ kind: z.literal("drip"), everyMs: z.int() }),
  z.strictObject({ kind: z.literal("hang"), where: z.enum(["headers", "body"]) }),
  z.strictObject({ kind: z.literal("reset"), where: z.enum(["headers", "body"]) }),
  /** The sound body compressed, which nobody asked for; with `bombBytes`, so many spaces behind it. */
  z.strictObject({ kind: z.literal("gzip"), bombBytes: z.int().optional() }),
  /** Sound, but unusual. */
  z.strictObject({ kind: z.literal("style"), style: style.optional(), chunkBytes: z.int().optional() }),
]);

export const Fault = z.strictObject({
  what: What,
  when: When.default({}),
  /** How many requests it meets. Default: all. */
  times: z.int().optional(),
  /** How many it lets through first. */
  skip: z.int().optional(),
});
/** @typedef {z.infer<typeof Fault>} Fault */
/** @typedef {z.infer<typeof What>} What */

/**
 * Decides, request by request, which fault it gets: the first of the list that meets it.
 * @param {readonly Fault[]} faults
 */
export function createSchedule(faults) {
  const seen = faults.map(() => 0);
  /**
   * @param {{ texts: readonly string[], base64: boolean, path: string, inFlight: number }} request
   * @returns {What}
   */
  return (request) => {
    for (const [i, { what, when, times = Infinity, skip = 0 }] of faults.entries()) {
      if (!meets(when, request)) continue;
      const number = seen[i] ?? 0;
      seen[i] = number + 1;
      if (number < skip || (when.every !== undefined && (number + 1) % when.every !== 0)) continue;
      if (number - skip < times) return what;
    }
    return { kind: "none" };
  };
}

/** @param {z.infer<typeof When>} when @param {{ texts: readonly string[], base64: boolean, path: string, inFlight: number }} request */
function meets(when, { texts, base64, path, inFlight }) {
  const { marker } = when;
  return (
    (marker === undefined || texts.some((text) => text.includes(marker))) &&
    (when.base64 === undefined || when.base64 === base64) &&
    (when.moreThan === undefined || texts.length > when.moreThan) &&
    (when.inFlightAbove === undefined || inFlight > when.inFlightAbove) &&
    (when.path === undefined || when.path === path)
  );
}

/**
 * @param {readonly import("./protocols.js").Item[]} items
 * @param {What} what
 * @param {boolean} base64
 * @returns {readonly import("./protocols.js").Item[]}
 */
export function spoilItems(items, what, base64) {
  const last = items.at(-1);
  if (last === undefined) return items;
  const rest = items.slice(0, -1);
  if (what.kind === "vector") {
    return [...rest, { ...last, embedding: spoilVector(last.embedding, what.how, base64) }];
  }
  if (what.kind === "sparse") return [...rest, { ...last, embedding: spoilSparse(last.embedding, what.how) }];
  if (what.kind !== "items") return items;
  return {
    reorder: items.toReversed(),
    drop: rest,
    double: [...items, last],
    extra: [...items, { ...last, index: items.length }],
    misnumber: [...rest, { ...last, index: items.length }],
    "same-number": [...rest, { ...last, index: 0 }],
    negative: [...rest, { ...last, index: -1 }],
    fraction: [...rest, { ...last, index: last.index + 0.5 }],
    none: [],
  }[what.how];
}

/**
 * @param {unknown} embedding a Float32Array, or the list of them of a multi-vector
 * @param {Extract<What, { kind: "vector" }>["how"]} how
 * @param {boolean} base64
 * @returns {unknown}
 */
function spoilVector(embedding, how, base64) {
  if (isMultiVector(embedding)) {
    if (how === "null") return null;
    return { vectors: [...embedding.vectors.slice(0, -1), spoilVector(embedding.vectors.at(-1), how, base64)] };
  }
  if (!(embedding instanceof Float32Array)) return embedding;
  /** @param {number} value */
  const ending = (value) => Float32Array.from(embedding, (old, i) => (i === embedding.length - 1 ? value : old));
  /** @param {unknown} value */
  const withComponent = (value) => [...embedding.subarray(0, -1), value];
  const bytes = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
  return {
    short: embedding.slice(0, -1),
    long: Float32Array.of(...embedding, 0),
    empty: embedding.slice(0, 0),
    zero: new Float32Array(embedding.length),
    scaled: embedding.map((value) => value * 1.5),
    number: 0,
    nan: base64 ? ending(NaN) : withComponent(raw("NaN")),
    infinity: base64 ? ending(-Infinity) : withComponent(raw("-Infinity")),
    overflow: base64 ? ending(Infinity) : withComponent(raw("1e39")), // finite in JSON, infinite as float32
    "infinity-token": withComponent(raw("1e999")), // valid JSON, infinite even as a double
    null: null,
    "null-component": withComponent(null),
    "string-component": withComponent("0.5"),
    "half-bytes": bytes.subarray(0, -2).toString("base64"), // not a whole number of float32
    "not-base64": `${bytes.toString("base64").slice(0, -8)}!*? $~!`,
  }[how];
}

/**
 * @typedef {{ indices: number[], values: unknown[] }} SparseRow
 * @param {unknown} embedding
 * @param {Extract<What, { kind: "sparse" }>["how"]} how
 * @returns {unknown}
 */
function spoilSparse(embedding, how) {
  if (!isSparseRow(embedding)) return embedding;
  const { indices, values } = embedding;
  return {
    lengths: { indices, values: values.slice(0, -1) },
    doubled: { indices: [...indices, indices.at(-1) ?? 0], values: [...values, 0.5] },
    unordered: { indices: indices.toReversed(), values: values.toReversed() },
    negative: { indices: [-1, ...indices.slice(1)], values },
    fraction: { indices: [0.5, ...indices.slice(1)], values },
    "nan-token": { indices, values: [...values.slice(0, -1), raw("NaN")] },
    null: null,
  }[how];
}

/** @param {unknown} value @returns {value is { vectors: unknown[] }} */
export const isMultiVector = (value) =>
  typeof value === "object" && value !== null && "vectors" in value && Array.isArray(value.vectors);

/** @param {unknown} value @returns {value is SparseRow} */
export const isSparseRow = (value) => typeof value === "object" && value !== null && "indices" in value;

/**
 * Whether an answer with this fault holds the right vector of each text, under its number.
 * @param {What} what
 */
export const isSound = (what) =>
  ["none", "style", "gzip", "drip"].includes(what.kind) || (what.kind === "items" && what.how === "reorder");
