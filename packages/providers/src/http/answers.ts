import type { z } from "zod";
import type { Profile } from "@emb/manifest";
import type { Embeddings, MultiVectorEmbeddings, SparseEmbeddings } from "../provider.js";
import { rowProblem } from "../response-checks.js";
import type { DenseAnswer, MultiVectorAnswer, Slot, SparseAnswer } from "./embedding-service.js";
import type { Failures } from "./failures.js";
import { liftVectors } from "./lift-vectors.js";
import type { BodyBytes } from "./number-rows.js";
import type { Batch } from "./plan-batches.js";
import type { AcceptedAnswer } from "./service-attempts.js";
import { dimsOfBase64, VectorRows } from "./vector-rows.js";

/** Gathers the checked answers to a call's batches, in whatever order they come. */
export interface Gathering<E> {
  /** @throws EmbError EMB_PROVIDER_RESPONSE_INVALID */
  accept(body: BodyBytes, batch: Batch): AcceptedAnswer;
  /** The text at this place has no answer. */
  leaveOut(index: number): void;
  /** Once every batch is in. */
  result(tokens: number | null): E;
}

/** Dense vectors are read from the body into their place in the result; nothing is copied when the service kept the order. */
export function gatherDense(
  profile: Profile,
  answer: z.ZodType<DenseAnswer>,
  count: number,
  failures: Failures,
): Gathering<Embeddings> {
  const { dims } = profile;
  const dense = new Float32Array(count * dims);
  return {
    accept(body, { start, end }) {
      const own = dense.subarray(start * dims, end * dims);
      const rows = new VectorRows(own, dims, end - start);
      const { vectors, tokens, model } = readAnswer(body, rows, answer, failures);
      const slots = placed(vectors, end - start, failures).map(({ slot }) => slot);
      checkSlots(slots, rows.count, failures);
      if (slots.some((slot, index) => slot !== index)) reorder(own, dims, slots);
      const problem = rowProblem(own, end - start, profile);
      if (problem !== null) throw failures.invalid(problem);
      return { tokens, model };
    },
    leaveOut: (index) => void dense.fill(Number.NaN, index * dims, (index + 1) * dims),
    result: (tokens) => ({ dense, count, dims, tokens }),
  };
}

/** Sparse answers hold no vectors of the profile's dims, so they are read as plain JSON. */
export function gatherSparse(
  answer: z.ZodType<SparseAnswer>,
  count: number,
  failures: Failures,
): Gathering<SparseEmbeddings> {
  const rows = Array.from<SparseAnswer["vectors"][number] | undefined>({ length: count });
  return {
    accept(body, { start, end }) {
      const { vectors, tokens, model } = readAnswer(body, null, answer, failures);
      for (const [index, row] of placed(vectors, end - start, failures).entries()) {
        const problem = sparseProblem(row);
        if (problem !== null) throw failures.invalid(`${problem} in the sparse vector of text ${start + index}`);
        rows[start + index] = row;
      }
      return { tokens, model };
    },
    leaveOut() {}, // its row is empty
    result(tokens) {
      const offsets = new Uint32Array(count + 1);
      for (const [index, row] of rows.entries()) offsets[index + 1] = offsets[index]! + (row?.indices.length ?? 0);
      const indices = new Uint32Array(offsets[count]!);
      const values = new Float32Array(offsets[count]!);
      for (const [index, row] of rows.entries()) {
        const terms = (row?.indices ?? [])
          .map((term, i) => [term, row!.values[i]!] as const)
          .toSorted(([a], [b]) => a - b);
        for (const [i, [term, value]] of terms.entries()) {
          indices[offsets[index]! + i] = term;
          values[offsets[index]! + i] = value;
        }
      }
      return { indices, values, offsets, count, tokens };
    },
  };
}

/** Multi-vectors are lifted like dense ones; each text has as many as the model says. */
export function gatherMultiVectors(
  profile: Profile,
  answer: z.ZodType<MultiVectorAnswer>,
  count: number,
  maxVectors: (batch: Batch) => number,
  failures: Failures,
): Gathering<MultiVectorEmbeddings> {
  const { dims } = profile;
  const texts = Array.from<Float32Array>({ length: count });
  return {
    accept(body, batch) {
      const { start, end } = batch;
      const rows = new VectorRows(new Float32Array(0), dims, maxVectors(batch));
      const { vectors, tokens, model } = readAnswer(body, rows, answer, failures);
      const inOrder = placed(vectors, end - start, failures);
      checkSlots(
        inOrder.flatMap(({ slots }) => slots),
        rows.count,
        failures,
      );
      const problem = rowProblem(rows.numbers, rows.count, profile);
      if (problem !== null) throw failures.invalid(problem);
      for (const [index, { slots }] of inOrder.entries()) {
        if (slots.length === 0) throw failures.invalid(`no vector for text ${start + index}`);
        const own = new Float32Array(slots.length * dims);
        for (const [i, slot] of slots.entries())
          own.set(rows.numbers.subarray(slot * dims, (slot + 1) * dims), i * dims);
        texts[start + index] = own;
      }
      return { tokens, model };
    },
    leaveOut: (index) => void (texts[index] = new Float32Array(0)),
    result(tokens) {
      const offsets = new Uint32Array(count + 1);
      for (const [index, own] of texts.entries()) offsets[index + 1] = offsets[index]! + own.length / dims;
      const vectors = new Float32Array(offsets[count]! * dims);
      for (const [index, own] of texts.entries()) vectors.set(own, offsets[index]! * dims);
      return { vectors, offsets, count, dims, tokens };
    },
  };
}

/**
 * @param rows where vectors go; null when the answer holds none
 * @throws EmbError EMB_PROVIDER_RESPONSE_INVALID
 */
export function readAnswer<A>(body: BodyBytes, rows: VectorRows | null, schema: z.ZodType<A>, failures: Failures): A {
  let document: unknown;
  try {
    document = rows === null ? JSON.parse(body.bytes.toString("utf8", 0, body.length)) : liftVectors(body, rows);
  } catch {
    throw failures.invalid(
      `${body.length} bytes that are not JSON`,
      "Check the service's address, and what stands between.",
    );
  }
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  throw failures.invalid(
    `a document that is not as documented: ${describe(at(document, issue?.path ?? []), rows)} at "${path}"`,
  );
}

/** What stands where something else was expected, without showing it. */
function describe(value: unknown, rows: VectorRows | null): string {
  const wanted = rows === null ? "" : ` where a vector of ${rows.dims} was expected`;
  if (Array.isArray(value)) {
    if (rows !== null && value.length === rows.dims && rows.count >= rows.maxRows) return "more vectors than texts";
    return `a list of ${value.length}${wanted}`;
  }
  if (typeof value === "string") {
    const dims = rows === null ? 0 : dimsOfBase64(value);
    return dims > 0 ? `a vector of ${dims}${wanted}` : `a text of ${value.length} characters${wanted}`;
  }
  return value === null ? "null" : value === undefined ? "nothing" : `a ${typeof value}`;
}

function at(document: unknown, path: readonly PropertyKey[]): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

/** The items of an answer, each at its index. */
function placed<T extends { readonly index: number }>(items: readonly T[], count: number, failures: Failures): T[] {
  if (items.length !== count) throw failures.invalid(`${items.length} vectors for ${count} texts`);
  const inOrder = Array.from<T>({ length: count });
  for (const item of items) {
    if (!(item.index >= 0 && item.index < count)) throw failures.invalid(`index ${item.index} for ${count} texts`);
    if (inOrder[item.index] !== undefined) throw failures.invalid(`two vectors for text ${item.index} of its batch`);
    inOrder[item.index] = item;
  }
  return inOrder;
}

/** A plain number in the answer could pass for a slot; true slots are those that were lifted, each once. */
function checkSlots(slots: readonly Slot[], lifted: number, failures: Failures): void {
  const seen = new Uint8Array(lifted);
  for (const slot of slots) {
    if (!(slot >= 0 && slot < lifted) || seen[slot] === 1)
      throw failures.invalid("a number where a vector was expected");
    seen[slot] = 1;
  }
  if (slots.length !== lifted) throw failures.invalid(`${lifted} vectors where ${slots.length} belong to a text`);
}

/** Moves rows from their slots to their indices. */
function reorder(rows: Float32Array, dims: number, slots: readonly Slot[]): void {
  const copy = rows.slice();
  for (const [index, slot] of slots.entries()) rows.set(copy.subarray(slot * dims, (slot + 1) * dims), index * dims);
}

function sparseProblem({ indices, values }: SparseAnswer["vectors"][number]): string | null {
  if (indices.length !== values.length) return `${indices.length} indices and ${values.length} values`;
  if (indices.length === 0) return "no term";
  if (!indices.every((index) => Number.isInteger(index) && index >= 0 && index <= MAX_TERM))
    return "an index that is none";
  if (new Set(indices).size !== indices.length) return "a doubled index";
  return values.every((value) => Number.isFinite(Math.fround(value))) ? null : "a weight that is not finite";
}

/** Largest term number of a Uint32Array. */
const MAX_TERM = 2 ** 32 - 1;
