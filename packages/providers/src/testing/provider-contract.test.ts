import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import { profileOf } from "../profile.test-data.js";
import type { EmbeddingProvider, Embeddings } from "../provider.js";
import { withResponseChecks } from "../call-guard.js";
import { textTooLong } from "../text-guards.js";
import { providerContract, type ProviderFixtures } from "./provider-contract.js";

const DIMS = 8;
const profile = profileOf({
  dims: DIMS,
  prompts: { query: "query: ", document: "" },
  limits: { maxInputTokens: 12 },
});
const texts = ["the cat sat", "a longer line about ships at sea", "bread", "rain again today"];
const words = (text: string) => text.trim().split(/\s+/).length;

/** Pseudo-random but fixed direction of a text. */
function direction(text: string): Float32Array {
  let state = Array.from(text).reduce((hash, char) => (Math.imul(hash, 31) + char.charCodeAt(0)) | 0, 7);
  const values = Float32Array.from({ length: DIMS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  });
  const norm = Math.hypot(...values);
  return values.map((value) => value / norm);
}

/** What a broken adapter does otherwise than the honest one. */
interface Fault {
  /** Changes the answer of one call. */
  readonly answer?: (answer: Embeddings, texts: readonly string[]) => Embeddings;
  readonly ignoresSignal?: "always" | "during";
  readonly ignoresLimit?: boolean | "query";
  readonly limit?: number;
  readonly prompt?: string;
  readonly checks?: boolean;
  /** Keeps the texts of a call where the next call overwrites them. */
  readonly sharesTexts?: boolean;
  readonly afterAbort?: (answer: Embeddings) => Embeddings;
  readonly close?: () => Promise<void>;
}

function toyProvider(fault: Fault = {}): EmbeddingProvider {
  let aborted = false;
  let latest: readonly string[] = [];
  const embed = async (prompt: string, given: readonly string[], signal: AbortSignal): Promise<Embeddings> => {
    const limit = fault.limit ?? profile.limits.maxInputTokens;
    const ignoresLimit = fault.ignoresLimit === true || (fault.ignoresLimit === "query" && prompt !== "");
    for (const [index, text] of given.entries()) {
      if (!ignoresLimit && words(text) > limit) throw textTooLong(index, words(text), limit);
    }
    const dense = new Float32Array(given.length * DIMS);
    for (const [index, text] of given.entries()) {
      latest = given;
      await nextTurn();
      dense.set(direction(prompt + ((fault.sharesTexts ? latest[index] : text) ?? text)), index * DIMS);
      if (signal.aborted && !fault.ignoresSignal) {
        aborted = true;
        throw signal.reason;
      }
    }
    const answer = { dense, count: given.length, dims: DIMS, tokens: given.reduce((sum, t) => sum + words(t), 0) };
    return (aborted && fault.afterAbort ? fault.afterAbort : (fault.answer ?? ((same) => same)))(answer, given);
  };
  const inner: EmbeddingProvider = {
    profile,
    embedDocuments: (given, { signal }) => embed("", given, signal),
    embedQueries: (given, { signal }) => embed(fault.prompt ?? "query: ", given, signal),
    close: fault.close ?? (() => Promise.resolve()),
  };
  // A broken adapter stands alone: the checks around it would hide its fault.
  if (fault === honest || fault.checks) return withResponseChecks(inner);
  return inner;
}
const honest: Fault = {};

const fixturesOf = (fault: Fault): ProviderFixtures => ({
  texts,
  atLimit: Array.from({ length: 12 }, (_, i) => `word${i}`).join(" "),
  tooLong: Array.from({ length: 13 }, (_, i) => `word${i}`).join(" "),
  open: () => Promise.resolve(toyProvider(fault)),
});

const mapRows = (answer: Embeddings, change: (row: Float32Array, index: number) => void): Embeddings => {
  const dense = answer.dense.slice();
  for (let i = 0; i < answer.count; i++) change(dense.subarray(i * DIMS, (i + 1) * DIMS), i);
  return { ...answer, dense };
};
const shared = new Float32Array(400 * DIMS);

/** For each check a fault that it catches. A check without a row does not compile. */
const BROKEN: Record<keyof typeof providerContract, Fault> = {
  "gives one vector for each text, repeated texts included": {
    answer: (answer, given) => {
      const count = new Set(given).size; // embeds each distinct text once and forgets the rest
      return { ...answer, count, dense: answer.dense.slice(0, count * DIMS) };
    },
  },
  "gives vectors of the profile's dims": { answer: (answer) => ({ ...answer, dims: DIMS / 2 }) },
  "keeps the order of the texts": {
    answer: (answer, given) => {
      const order = given.map((_, i) => i).toSorted((a, b) => given[a]!.length - given[b]!.length);
      return mapRows(answer, (row, i) => row.set(answer.dense.subarray(order[i]! * DIMS, (order[i]! + 1) * DIMS)));
    },
  },
  "gives different texts different vectors": { answer: (answer) => mapRows(answer, (row) => row.fill(DIMS ** -0.5)) },
  "gives finite numbers": { answer: (answer) => mapRows(answer, (row) => (row[0] = Number.NaN)) },
  "gives norm 1 when the profile says normalized_output": {
    answer: (answer) => mapRows(answer, (row) => row.set(row.map((value) => value * 1.01))),
  },
  "gives a text alone the vector it has in a batch": {
    answer: (answer) => mapRows(answer, (row) => (row[0]! += 0.02 * (answer.count - 1))),
  },
  "gives a text the same vector beside a much longer one": {
    answer: (answer, given) => {
      const longest = Math.max(...given.map(words));
      return mapRows(answer, (row, i) => (row[0]! += 0.003 * (longest - words(given[i]!))));
    },
  },
  "takes a text of exactly the limit": { limit: 11 },
  "refuses a document over the limit": { ignoresLimit: true },
  "refuses a query over the limit": { ignoresLimit: "query" },
  "refuses an empty text": {},
  "refuses a blank text": {},
  "sets refused texts aside when asked to, and gives the others their vectors": {},
  "answers an empty list with an empty answer": {
    answer: (answer) => (answer.count === 0 ? { ...answer, count: 1, dense: new Float32Array(DIMS) } : answer),
  },
  "ends with the signal's reason when aborted before": { ignoresSignal: "always" },
  "ends with the signal's reason when aborted during a call": { ignoresSignal: "during", checks: true },
  "stays usable after an abort": {
    afterAbort: (answer) => mapRows(answer, (row) => row.fill(0)),
  },
  "keeps concurrent calls apart": { sharesTexts: true },
  "gives the answer to the caller for keeps": {
    answer: (answer) => {
      shared.set(answer.dense);
      return { ...answer, dense: shared.subarray(0, answer.dense.length) };
    },
  },
  "counts tokens, or says that it does not": { answer: (answer) => ({ ...answer, tokens: Number.NaN }) },
  "tells queries from documents exactly when the profile does": { prompt: "" },
  "can be closed twice": {
    close: (() => {
      let open = true;
      return () => {
        if (!open) return Promise.reject(new EmbError("EMB_INTERNAL", "closed already", { hint: "" }));
        open = false;
        return Promise.resolve();
      };
    })(),
  },
  "refuses calls once closed": {},
};

describe("provider contract", () => {
  it.each(Object.entries(providerContract))("an honest adapter passes: %s", async (_, check) => {
    await check(toyProvider(honest), fixturesOf(honest));
  });

  it.each(Object.entries(BROKEN))("catches an adapter that breaks: %s", async (name, fault) => {
    const check = Object.entries(providerContract).find(([title]) => title === name)?.[1];
    await expect(check?.(toyProvider(fault), fixturesOf(fault))).rejects.toThrow();
  });

  it("has a broken adapter for every check", () => {
    expect(Object.keys(BROKEN)).toEqual(Object.keys(providerContract));
  });
});
