import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isEmbError, type ErrorCode } from "@emb/manifest";
import type { EmbeddingProvider, Embeddings } from "../provider.js";

/** Texts that fit the model under test. All within its limit except `tooLong`. */
export interface ProviderFixtures {
  /** At least four texts of different meaning, neither sorted nor reverse-sorted, of clearly different lengths. */
  readonly texts: readonly string[];
  /** As many tokens as the profile's `limits.maxInputTokens`, special tokens included. */
  readonly atLimit: string;
  /** More tokens than that. */
  readonly tooLong: string;
  /** A second instance of the provider; the check closes it. */
  readonly open: () => Promise<EmbeddingProvider>;
}

export type ProviderCheck = (provider: EmbeddingProvider, fixtures: ProviderFixtures) => Promise<void>;

/** Source: design.md section 6, for in-process models. */
export const SAME_VECTOR_MIN_COSINE = 0.999_99;
const NORM_TOLERANCE = 1e-3;
const live = { signal: new AbortController().signal };

/** Every promise of `EmbeddingProvider`, one check each. Run each on your own adapter with any test runner. */
export const providerContract = {
  "gives one vector for each text, repeated texts included": async (provider, { texts }) => {
    const answer = await provider.embedDocuments([...texts, texts[0]!], live);
    assert.equal(answer.count, texts.length + 1);
    assert.equal(answer.dense.length, answer.count * answer.dims);
    assertSame(row(answer, 0), row(answer, texts.length), "a repeated text");
  },
  "gives vectors of the profile's dims": async (provider, { texts }) => {
    assert.equal((await provider.embedDocuments(texts, live)).dims, provider.profile.dims);
    assert.equal((await provider.embedQueries(texts, live)).dims, provider.profile.dims);
  },
  "keeps the order of the texts": async (provider, { texts }) => {
    const answer = await provider.embedDocuments(texts, live);
    const singles = await eachAlone(provider, texts);
    for (const [index, single] of singles.entries()) {
      const closest = texts.map((_, i) => cosine(row(answer, i), single));
      assert.equal(closest.indexOf(Math.max(...closest)), index, `vector ${index} belongs to another text`);
    }
  },
  "gives different texts different vectors": async (provider, { texts }) => {
    const answer = await provider.embedDocuments(texts, live);
    for (let a = 0; a < texts.length; a++) {
      for (let b = 0; b < a; b++) assert.ok(cosine(row(answer, a), row(answer, b)) < 0.999, `texts ${a} and ${b}`);
    }
  },
  "gives finite numbers": async (provider, { texts }) => {
    for (const answer of [await provider.embedDocuments(texts, live), await provider.embedQueries(texts, live)]) {
      assert.ok(answer.dense.every(Number.isFinite));
    }
  },
  "gives norm 1 when the profile says normalized_output": async (provider, { texts }) => {
    if (!provider.profile.capabilities.normalizedOutput) return;
    for (const answer of [await provider.embedDocuments(texts, live), await provider.embedQueries(texts, live)]) {
      for (let i = 0; i < answer.count; i++) {
        const norm = Math.sqrt(dot(row(answer, i), row(answer, i)));
        assert.ok(Math.abs(norm - 1) <= NORM_TOLERANCE, `vector ${i} has norm ${norm}`);
      }
    }
  },
  "gives a text alone the vector it has in a batch": async (provider, { texts }) => {
    const answer = await provider.embedDocuments(texts, live);
    const singles = await eachAlone(provider, texts);
    for (const [index, single] of singles.entries()) assertSame(row(answer, index), single, `text ${index}`);
  },
  "gives a text the same vector beside a much longer one": async (provider, { texts, atLimit }) => {
    for (const [index, single] of (await eachAlone(provider, texts)).entries()) {
      const answer = await provider.embedDocuments([atLimit, texts[index]!], live);
      assertSame(row(answer, 1), single, `text ${index}`);
    }
  },
  "takes a text of exactly the limit": async (provider, { atLimit }) => {
    assert.equal((await provider.embedDocuments([atLimit], live)).count, 1);
  },
  "refuses a document over the limit": async (provider, { texts, tooLong }) => {
    await assertTooLong(provider, provider.embedDocuments([texts[0]!, tooLong], live));
  },
  "refuses a query over the limit": async (provider, { texts, tooLong }) => {
    await assertTooLong(provider, provider.embedQueries([texts[0]!, tooLong], live));
  },
  "refuses an empty text": async (provider, { texts }) => {
    await assertEmpty(provider.embedDocuments([texts[0]!, ""], live));
    await assertEmpty(provider.embedQueries([texts[0]!, ""], live));
  },
  "refuses a blank text": async (provider, { texts }) => {
    await assertEmpty(provider.embedDocuments([texts[0]!, " \n\t\u00a0"], live));
    await assertEmpty(provider.embedQueries([texts[0]!, " \n\t\u00a0"], live));
  },
  "sets refused texts aside when asked to, and gives the others their vectors": async (
    provider,
    { texts, tooLong },
  ) => {
    const aside: [number, string][] = [];
    const answer = await provider.embedDocuments([tooLong, texts[0]!, " ", texts[1]!, tooLong], {
      ...live,
      setAside: (index, { code }) => aside.push([index, code]),
    });
    assert.deepEqual(
      aside.toSorted(([a], [b]) => a - b),
      [
        [0, "EMB_TEXT_TOO_LONG"],
        [2, "EMB_TEXT_EMPTY"],
        [4, "EMB_TEXT_TOO_LONG"],
      ],
    );
    assert.equal(answer.count, 5);
    for (const index of [0, 2, 4]) assert.ok(row(answer, index).every(Number.isNaN), `row ${index} is not NaN`);
    const plain = await provider.embedDocuments([texts[0]!, texts[1]!], live);
    assertSame(row(answer, 1), row(plain, 0), "beside set-aside texts");
    assertSame(row(answer, 3), row(plain, 1), "beside set-aside texts");
  },
  "answers an empty list with an empty answer": async (provider) => {
    for (const answer of [await provider.embedDocuments([], live), await provider.embedQueries([], live)]) {
      assert.deepEqual([answer.count, answer.dense.length, answer.dims], [0, 0, provider.profile.dims]);
    }
  },
  "ends with the signal's reason when aborted before": async (provider, { texts }) => {
    const reason = new Error("stopped before");
    await assertRejectsWith(provider.embedDocuments(texts, { signal: AbortSignal.abort(reason) }), reason);
    await assertRejectsWith(provider.embedQueries(texts, { signal: AbortSignal.abort(reason) }), reason);
  },
  "ends with the signal's reason when aborted during a call": async (provider, { texts }) => {
    await abortDuring(provider, texts);
  },
  "stays usable after an abort": async (provider, { texts }) => {
    const before = await provider.embedDocuments([texts[0]!], live);
    await abortDuring(provider, texts);
    assertSame(row(await provider.embedDocuments([texts[0]!], live), 0), row(before, 0), "after an abort");
  },
  "keeps concurrent calls apart": async (provider, { texts }) => {
    const singles = await eachAlone(provider, texts);
    const answers = await Promise.all(texts.map((text) => provider.embedDocuments([text], live)));
    for (const [index, answer] of answers.entries()) assertSame(row(answer, 0), singles[index]!, `call ${index}`);
  },
  "gives the answer to the caller for keeps": async (provider, { texts }) => {
    const first = await provider.embedDocuments([texts[0]!], live);
    const copy = first.dense.slice();
    await provider.embedDocuments([texts[1]!], live);
    assert.deepEqual(first.dense, copy);
  },
  "counts tokens, or says that it does not": async (provider, { texts }) => {
    const { tokens } = await provider.embedDocuments(texts, live);
    assert.ok(tokens === null || (Number.isInteger(tokens) && tokens >= texts.length), `${tokens} tokens`);
  },
  "tells queries from documents exactly when the profile does": async (provider, { texts }) => {
    const { prompts, tasks } = provider.profile;
    const differ = prompts.query !== prompts.document || tasks.query !== tasks.document;
    const document = row(await provider.embedDocuments([texts[0]!], live), 0);
    const query = row(await provider.embedQueries([texts[0]!], live), 0);
    assert.equal(cosine(document, query) < SAME_VECTOR_MIN_COSINE, differ);
  },
  "can be closed twice": async (_provider, { open }) => {
    const provider = await open();
    await provider.close();
    await provider.close();
  },
  "refuses calls once closed": async (_provider, { open, texts }) => {
    const provider = await open();
    await provider.close();
    await assertCode(provider.embedDocuments(texts, live), "EMB_PROVIDER_UNAVAILABLE");
  },
} satisfies Record<string, ProviderCheck>;

const row = ({ dense, dims }: Embeddings, index: number): Float32Array => dense.slice(index * dims, (index + 1) * dims);

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const cosine = (a: Float32Array, b: Float32Array): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

async function eachAlone(provider: EmbeddingProvider, texts: readonly string[]): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (const text of texts) vectors.push(row(await provider.embedDocuments([text], live), 0));
  return vectors;
}

/** Written so that NaN fails. */
function assertSame(a: Float32Array, b: Float32Array, what: string): void {
  const seen = cosine(a, b);
  assert.ok(seen >= SAME_VECTOR_MIN_COSINE, `${what}: cosine ${seen}`);
}

async function assertCode(call: Promise<unknown>, code: ErrorCode, context: Record<string, unknown> = {}) {
  await assert.rejects(call, (error) => {
    if (!isEmbError(error, code)) return false;
    for (const [key, value] of Object.entries(context)) assert.equal(error.context[key], value, key);
    return true;
  });
}

const assertEmpty = (call: Promise<unknown>) => assertCode(call, "EMB_TEXT_EMPTY", { index: 1 });
const assertTooLong = (provider: EmbeddingProvider, call: Promise<unknown>) =>
  assert.rejects(call, (error) => {
    if (!isEmbError(error, "EMB_TEXT_TOO_LONG")) return false;
    const { index, tokens, max_tokens } = error.context;
    const { maxInputTokens } = provider.profile.limits;
    assert.deepEqual([index, max_tokens], [1, maxInputTokens]);
    assert.ok(typeof tokens === "number" && tokens > maxInputTokens);
    return true;
  });

const assertRejectsWith = (call: Promise<unknown>, reason: unknown) =>
  assert.rejects(call, (error) => error === reason);

/** Enough texts for several batches, so that the abort meets a call that is under way. */
const ABORT_TEXTS = 400;

async function abortDuring(provider: EmbeddingProvider, texts: readonly string[]): Promise<void> {
  const many = Array.from({ length: ABORT_TEXTS }, (_, i) => `${texts[i % texts.length]!} ${i}`);
  const controller = new AbortController();
  const reason = new Error("stopped during");
  const rejected = assertRejectsWith(provider.embedDocuments(many, { signal: controller.signal }), reason);
  await nextTurn();
  controller.abort(reason);
  await rejected;
}
