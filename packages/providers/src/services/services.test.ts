import { describe, expect, it } from "vitest";
import type { Profile, Side } from "@emb/manifest";
import type { EmbeddingService, Endpoint } from "../http/embedding-service.js";
import { profileOf } from "../profile.test-data.js";
import { bgeM3Service } from "./bge-m3-service.js";
import { cohere } from "./cohere.js";
import { jinaAi } from "./jina-ai.js";
import { ollama } from "./ollama.js";
import { openaiCompatible } from "./openai-compatible.js";
import { openai } from "./openai.js";
import { tei } from "./tei.js";
import { voyage } from "./voyage.js";

const texts = ["first", "second"];
const plain = profileOf().capabilities;
const model = (modelId: string, changes: Partial<Omit<Profile, "limits">> = {}) => profileOf({ modelId, ...changes });

interface BodyCase {
  readonly of: string;
  readonly endpoint: Endpoint<unknown>;
  readonly profile: Profile;
  readonly side?: Side;
  readonly base64?: boolean;
  readonly body: object;
}

const jinaBase = { input: texts, normalized: true, late_chunking: false, truncate: false, embedding_type: "base64" };
const cohereBase = { texts, embedding_types: ["base64"], truncate: "NONE" };
const voyageBase = { input: texts, output_dtype: "float", truncation: false, encoding_format: "base64" };

const BODIES: readonly BodyCase[] = [
  {
    of: "jina, document side, tasks of the profile",
    endpoint: jinaAi.dense,
    profile: model("jina-embeddings-v3", { dims: 512, tasks: { query: "text-matching", document: "separation" } }),
    body: { model: "jina-embeddings-v3", ...jinaBase, task: "separation", dimensions: 512 },
  },
  {
    of: "jina, query side, standard task, numbers, not normalised",
    endpoint: jinaAi.dense,
    profile: model("jina-embeddings-v3", { dims: 1024, capabilities: { ...plain, normalizedOutput: false } }),
    side: "query",
    base64: false,
    body: {
      model: "jina-embeddings-v3",
      ...jinaBase,
      task: "retrieval.query",
      dimensions: 1024,
      normalized: false,
      embedding_type: "float",
    },
  },
  {
    of: "jina v2, which has no tasks and one width",
    endpoint: jinaAi.dense,
    profile: model("jina-embeddings-v2-base-en", { dims: 768 }),
    body: { model: "jina-embeddings-v2-base-en", ...jinaBase },
  },
  {
    of: "bge-m3 dense",
    endpoint: bgeM3Service.dense,
    profile: model("BAAI/bge-m3"),
    body: { model: "BAAI/bge-m3", input: texts, encoding_format: "base64" },
  },
  {
    of: "bge-m3 dense, numbers",
    endpoint: bgeM3Service.dense,
    profile: model("BAAI/bge-m3"),
    base64: false,
    body: { model: "BAAI/bge-m3", input: texts },
  },
  {
    of: "bge-m3 sparse",
    endpoint: bgeM3Service.sparse!,
    profile: model("BAAI/bge-m3"),
    body: { model: "BAAI/bge-m3", input: texts },
  },
  {
    of: "bge-m3 multi-vector",
    endpoint: bgeM3Service.multiVector!,
    profile: model("BAAI/bge-m3"),
    body: { model: "BAAI/bge-m3", input: texts },
  },
  {
    of: "openai, shortened",
    endpoint: openai.dense,
    profile: model("text-embedding-3-small", { dims: 256 }),
    body: { model: "text-embedding-3-small", input: texts, dimensions: 256, encoding_format: "base64" },
  },
  {
    of: "openai ada, which cannot be shortened, numbers",
    endpoint: openai.dense,
    profile: model("text-embedding-ada-002", { dims: 1536 }),
    base64: false,
    body: { model: "text-embedding-ada-002", input: texts, encoding_format: "float" },
  },
  {
    of: "openai-compatible",
    endpoint: openaiCompatible.dense,
    profile: model("intfloat/e5-small"),
    body: { model: "intfloat/e5-small", input: texts, encoding_format: "base64" },
  },
  {
    of: "openai-compatible, numbers",
    endpoint: openaiCompatible.dense,
    profile: model("intfloat/e5-small"),
    base64: false,
    body: { model: "intfloat/e5-small", input: texts },
  },
  {
    of: "openai-compatible, a gateway to OpenAI",
    endpoint: openaiCompatible.dense,
    profile: model("text-embedding-3-large", { dims: 1024 }),
    base64: false,
    body: { model: "text-embedding-3-large", input: texts, dimensions: 1024 },
  },
  {
    of: "cohere v3, document side",
    endpoint: cohere.dense,
    profile: model("embed-multilingual-v3.0", { dims: 1024 }),
    body: { model: "embed-multilingual-v3.0", ...cohereBase, input_type: "search_document" },
  },
  {
    of: "cohere v4, query side, numbers",
    endpoint: cohere.dense,
    profile: model("embed-v4.0", { dims: 512 }),
    side: "query",
    base64: false,
    body: {
      model: "embed-v4.0",
      ...cohereBase,
      input_type: "search_query",
      embedding_types: ["float"],
      output_dimension: 512,
    },
  },
  {
    of: "cohere, a task of the profile",
    endpoint: cohere.dense,
    profile: model("embed-v4.0", { dims: 1536, tasks: { query: null, document: "clustering" } }),
    body: { model: "embed-v4.0", ...cohereBase, input_type: "clustering", output_dimension: 1536 },
  },
  {
    of: "voyage, document side",
    endpoint: voyage.dense,
    profile: model("voyage-3.5", { dims: 2048 }),
    body: { model: "voyage-3.5", ...voyageBase, input_type: "document", output_dimension: 2048 },
  },
  {
    of: "voyage, query side, a model of one width, numbers",
    endpoint: voyage.dense,
    profile: model("voyage-law-2", { dims: 1024 }),
    side: "query",
    base64: false,
    body: { model: "voyage-law-2", input: texts, output_dtype: "float", truncation: false, input_type: "query" },
  },
  { of: "tei", endpoint: tei.dense, profile: model("m"), body: { inputs: texts, normalize: true, truncate: false } },
  {
    of: "tei, not normalised",
    endpoint: tei.dense,
    profile: model("m", { capabilities: { ...plain, normalizedOutput: false } }),
    body: { inputs: texts, normalize: false, truncate: false },
  },
  { of: "tei sparse", endpoint: tei.sparse!, profile: model("m"), body: { inputs: texts, truncate: false } },
  {
    of: "ollama",
    endpoint: ollama.dense,
    profile: model("nomic-embed-text", { dims: 256 }),
    body: { model: "nomic-embed-text", input: texts, truncate: false },
  },
];

describe("bodies", () => {
  it.each(BODIES)("$of", ({ endpoint, profile, side = "document", base64 = true, body }) => {
    const sent: unknown = JSON.parse(JSON.stringify(endpoint.body({ profile, texts, side, base64 })));
    expect(sent).toStrictEqual(body);
  });
});

const item = (index: number, embedding: number) => ({ object: "embedding", index, embedding });
const usage = { prompt_tokens: 7, total_tokens: 9 };
const openAiVectors = [
  { index: 1, slot: 0 },
  { index: 0, slot: 1 },
];
const inOrder = [
  { index: 0, slot: 0 },
  { index: 1, slot: 1 },
];

interface AnswerCase {
  readonly of: string;
  readonly endpoint: Endpoint<unknown>;
  readonly answer: unknown;
  readonly parsed: object;
}

/** Answers as the reader leaves them: numbers in place of the vectors. */
const ANSWERS: readonly AnswerCase[] = [
  ...[openai, openaiCompatible, jinaAi, voyage].map(({ dense }) => ({
    of: "OpenAI's shape, out of order, with keys that nobody reads",
    endpoint: dense,
    answer: { object: "list", id: "x", data: [item(1, 0), item(0, 1)], model: "m", usage },
    parsed: { tokens: 7, model: "m", vectors: openAiVectors },
  })),
  {
    of: "voyage's usage",
    endpoint: voyage.dense,
    answer: { data: [item(0, 0)], model: "voyage-3.5", usage: { total_tokens: 9 } },
    parsed: { tokens: 9, model: "voyage-3.5", vectors: [{ index: 0, slot: 0 }] },
  },
  {
    of: "a compatible server that names no model and counts no tokens",
    endpoint: openaiCompatible.dense,
    answer: { data: [item(0, 0)], usage: { prompt_tokens: 0, total_tokens: 0 } },
    parsed: { tokens: null, model: null, vectors: [{ index: 0, slot: 0 }] },
  },
  {
    of: "bge-m3 dense by position",
    endpoint: bgeM3Service.dense,
    answer: { data: [{ embedding: 0 }, { embedding: 1 }], model: "BAAI/bge-m3" },
    parsed: { tokens: null, model: "BAAI/bge-m3", vectors: inOrder },
  },
  {
    of: "bge-m3 dense by index",
    endpoint: bgeM3Service.dense,
    answer: { data: [item(1, 0), item(0, 1)], usage },
    parsed: { tokens: 7, model: null, vectors: openAiVectors },
  },
  {
    of: "bge-m3 sparse",
    endpoint: bgeM3Service.sparse!,
    answer: {
      data: [
        { indices: [3, 250_001], values: [0.5, 0.25] },
        { indices: [], values: [] },
      ],
    },
    parsed: {
      tokens: null,
      model: null,
      vectors: [
        { index: 0, indices: [3, 250_001], values: [0.5, 0.25] },
        { index: 1, indices: [], values: [] },
      ],
    },
  },
  {
    of: "bge-m3 multi-vector",
    endpoint: bgeM3Service.multiVector!,
    answer: { data: [{ vectors: [0, 1] }, { vectors: [2] }], model: "m", usage },
    parsed: {
      tokens: 7,
      model: "m",
      vectors: [
        { index: 0, slots: [0, 1] },
        { index: 1, slots: [2] },
      ],
    },
  },
  {
    of: "cohere base64",
    endpoint: cohere.dense,
    answer: { id: "x", texts, embeddings: { base64: [0, 1] }, meta: { billed_units: { input_tokens: 4 } } },
    parsed: { tokens: 4, model: null, vectors: inOrder },
  },
  {
    of: "cohere numbers",
    endpoint: cohere.dense,
    answer: { embeddings: { float: [0, 1] } },
    parsed: { tokens: null, model: null, vectors: inOrder },
  },
  { of: "tei", endpoint: tei.dense, answer: [0, 1], parsed: { tokens: null, model: null, vectors: inOrder } },
  {
    of: "tei sparse",
    endpoint: tei.sparse!,
    answer: [[{ index: 7, value: 1.5 }], []],
    parsed: {
      tokens: null,
      model: null,
      vectors: [
        { index: 0, indices: [7], values: [1.5] },
        { index: 1, indices: [], values: [] },
      ],
    },
  },
  {
    of: "ollama",
    endpoint: ollama.dense,
    answer: { model: "nomic-embed-text", embeddings: [0, 1], prompt_eval_count: 8, total_duration: 1 },
    parsed: { tokens: 8, model: "nomic-embed-text", vectors: inOrder },
  },
];

describe("answers", () => {
  it.each(ANSWERS)("$of", ({ endpoint, answer, parsed }) => {
    expect(endpoint.answer.parse(answer)).toStrictEqual(parsed);
  });
});

const REFUSED: readonly (readonly [string, Endpoint<unknown>, unknown])[] = [
  ["no data", openai.dense, { model: "m" }],
  ["an item without index", openai.dense, { data: [{ embedding: 0 }] }],
  ["an index below 0", openai.dense, { data: [item(-1, 0)] }],
  ["an index between two", openai.dense, { data: [item(0.5, 0)] }],
  ["a vector that is null", openai.dense, { data: [{ index: 0, embedding: null }] }],
  ["a vector that is text", openai.dense, { data: [{ index: 0, embedding: "AAAA" }] }],
  ["a model that is no name", openai.dense, { data: [item(0, 0)], model: 5 }],
  ["tokens below 0", openai.dense, { data: [item(0, 0)], usage: { prompt_tokens: -1 } }],
  ["an error in place of an answer", jinaAi.dense, { detail: "no" }],
  ["more indices than values", bgeM3Service.sparse!, { data: [{ indices: [1, 2], values: [0.5] }] }],
  ["a term below 0", bgeM3Service.sparse!, { data: [{ indices: [-1], values: [0.5] }] }],
  ["a weight that is no number", bgeM3Service.sparse!, { data: [{ indices: [1], values: [null] }] }],
  ["a text without its vectors", bgeM3Service.multiVector!, { data: [{}] }],
  ["quantised vectors", cohere.dense, { embeddings: { int8: [0, 1] } }],
  ["vectors without a type", cohere.dense, { embeddings: [0, 1] }],
  ["an object for a list", tei.dense, { embeddings: [0] }],
  ["a sparse row of numbers", tei.sparse!, [[1, 2]]],
  ["no vectors", ollama.dense, { model: "m" }],
];

describe("refuses", () => {
  it.each(REFUSED)("%s", (_, endpoint, answer) => {
    expect(endpoint.answer.safeParse(answer).success).toBe(false);
  });
});

const MODELS: readonly { service: EmbeddingService; asked: string; named: string; same: boolean }[] = [
  { service: openai, asked: "text-embedding-3-small", named: "text-embedding-3-small", same: true },
  { service: openai, asked: "text-embedding-3-small", named: "text-embedding-3-large", same: false },
  { service: openai, asked: "text-embedding-3-small", named: "text-embedding-3-small-v2", same: false },
  { service: openai, asked: "text-embedding-ada-002", named: "text-embedding-ada-002-v2", same: true },
  { service: ollama, asked: "nomic-embed-text", named: "nomic-embed-text:latest", same: true },
  { service: ollama, asked: "nomic-embed-text:latest", named: "nomic-embed-text", same: true },
  { service: ollama, asked: "nomic-embed-text", named: "nomic-embed-text:v1.5", same: false },
  { service: ollama, asked: "nomic-embed-text:v1.5", named: "nomic-embed-text", same: false },
  { service: ollama, asked: "nomic-embed-text", named: "all-minilm", same: false },
];

describe("the model named in an answer", () => {
  it.each(MODELS)("asked for $asked, named $named: same $same", ({ service, asked, named, same }) => {
    expect(service.sameModel?.(asked, named)).toBe(same);
  });

  it("is compared for equality by services that name models as they are asked", () => {
    for (const service of [jinaAi, bgeM3Service, openaiCompatible, cohere, voyage, tei]) {
      expect("sameModel" in service).toBe(false);
    }
  });

  it("is what /info says of a TEI server", () => {
    expect(tei.modelInfo?.path).toBe("/info");
    expect(tei.modelInfo?.answer.parse({ model_id: "a/b", model_dtype: "float16", max_input_length: 512 })).toEqual({
      model: "a/b",
    });
    expect(tei.modelInfo?.answer.safeParse({ model: "a/b" }).success).toBe(false);
  });
});

it("every address joins with its paths to the documented one", () => {
  const url = ({ publicUrl, dense }: EmbeddingService) => publicUrl && publicUrl + dense.path;
  expect([jinaAi, openai, voyage, cohere].map(url)).toEqual([
    "https://api.jina.ai/v1/embeddings",
    "https://api.openai.com/v1/embeddings",
    "https://api.voyageai.com/v1/embeddings",
    "https://api.cohere.com/v2/embed",
  ]);
  expect([bgeM3Service, openaiCompatible, tei, ollama].map(url)).toEqual([null, null, null, null]);
});
