// @ts-check
import { z } from "zod";

/**
 * The public protocols of eight embedding services, from the server's side: what a request may hold, what is refused and
 * how, what the answer looks like. Written from the services' own documents, not from the adapters under test. Objects are
 * strict, although some services pass over keys that they do not know: a misspelt parameter is then seen here.
 */

export const PROTOCOL_IDS = /** @type {const} */ ([
  "jina-ai",
  "bge-m3-service",
  "openai",
  "openai-compatible",
  "cohere",
  "voyage",
  "tei",
  "ollama",
]);

/**
 * @typedef {(typeof PROTOCOL_IDS)[number]} ProtocolId
 * @typedef {"dense" | "sparse" | "multi_vector"} Kind
 *
 * @typedef {object} Asked One request, understood.
 * @property {readonly string[]} texts
 * @property {string} task empty when the protocol has none, or none was given
 * @property {string | null} model null when the protocol does not name it in the request
 * @property {number | null} dims null: the model's own
 * @property {boolean} base64
 * @property {boolean} truncate cut long texts in silence
 * @property {boolean} normalize
 *
 * @typedef {object} Item Vector of one text, and the place that the answer gives it.
 * @property {number} index
 * @property {unknown} embedding as the writer takes it: base64, numbers, or whatever a fault made of them
 *
 * @typedef {object} Answered
 * @property {Asked} asked
 * @property {readonly Item[]} items
 * @property {number} tokens
 * @property {string} model
 *
 * @typedef {object} Route
 * @property {Kind} kind
 * @property {(body: unknown) => Asked} parse throws a ZodError for what the service refuses
 * @property {(answered: Answered) => unknown} answer
 *
 * @typedef {object} Refusal
 * @property {number} status
 * @property {string} message
 *
 * @typedef {object} Protocol
 * @property {Readonly<Record<string, Route>>} routes POST, by path
 * @property {Readonly<Record<string, (model: Model) => unknown>>} [info] GET, by path
 * @property {"required" | "optional"} key
 * @property {number} maxItems
 * @property {number} [maxTotalTokens]
 * @property {number} [itemsStatus] status for too many texts; default `invalidStatus`
 * @property {number} [tooLongStatus] status for a text over the model's limit; default `invalidStatus`
 * @property {number} invalidStatus status for a request that does not fit the schema
 * @property {number} unknownModelStatus
 * @property {number} [norm] of the vectors; default 1
 * @property {(refusal: Refusal) => unknown} error
 *
 * @typedef {object} Model
 * @property {string} id
 * @property {number} dims
 * @property {number} maxInputTokens
 */

const text = z.string().min(1);
const oneOrMany = z
  .union([text, z.array(text).min(1)])
  .transform((input) => (typeof input === "string" ? [input] : input));
const plain = { task: "", dims: null, base64: false, truncate: false, normalize: true };

/** @param {z.ZodType<Asked>} schema @returns {Route["parse"]} */
const parseWith = (schema) => (body) => schema.parse(body);

/** @param {Answered} answered */
const indexedItems = ({ items }) => items.map(({ index, embedding }) => ({ object: "embedding", index, embedding }));

/** @param {Answered} answered */
const bareItems = ({ items }) => items.map(({ embedding }) => embedding);

/** @param {Answered} answered */
const openAiAnswer = (answered) => ({
  object: "list",
  data: indexedItems(answered),
  model: answered.model,
  usage: { prompt_tokens: answered.tokens, total_tokens: answered.tokens },
});

/** @param {Refusal} refusal */
const openAiError = ({ status, message }) => ({
  error: { message, type: status === 401 ? "authentication_error" : "invalid_request_error", param: null, code: null },
});

// Source: jina.ai/embeddings and the schema at api.jina.ai/redoc, as the AI SDK's and LlamaIndex' Jina adapters repeat them, read 2026-11.
const jinaTask = z.enum(["retrieval.query", "retrieval.passage", "text-matching", "classification", "separation"]);
const jina = z
  .strictObject({
    model: z.string(),
    input: oneOrMany,
    task: jinaTask.optional(),
    dimensions: z.int().min(1).max(1024).optional(),
    normalized: z.boolean().default(false),
    embedding_type: z
      .union([z.enum(["float", "base64", "binary", "ubinary"]), z.tuple([z.enum(["float", "base64"])])])
      .default("float"),
    late_chunking: z.literal(false).default(false), // true makes one context of all texts of a request
    truncate: z.boolean().default(false),
  })
  .transform(({ model, input, task, dimensions, normalized, embedding_type: type, truncate }) => ({
    texts: input,
    task: task ?? "",
    model,
    dims: dimensions ?? null,
    base64: type === "base64" || type[0] === "base64",
    truncate,
    normalize: normalized,
  }));

// Source: platform.openai.com/docs/api-reference/embeddings/create (2,048 texts, 300,000 tokens a request), read 2026-11.
const openAi = z
  .strictObject({
    model: z.string(),
    input: oneOrMany,
    dimensions: z.int().min(1).max(1536).optional(),
    encoding_format: z.enum(["float", "base64"]).default("float"),
    user: z.string().optional(),
  })
  .transform(({ model, input, dimensions, encoding_format: format }) => ({
    ...plain,
    texts: input,
    model,
    dims: dimensions ?? null,
    base64: format === "base64",
  }));

// Source: docs.cohere.com/reference/embed (v2) and cohere-typescript V2EmbedRequest, EmbedByTypeResponse, read 2026-11.
const cohere = z
  .strictObject({
    model: z.string(),
    texts: z.array(text).min(1),
    input_type: z.enum(["search_document", "search_query", "classification", "clustering"]),
    embedding_types: z.array(z.enum(["float", "base64"])).length(1),
    truncate: z.enum(["NONE", "START", "END"]).default("END"),
    output_dimension: z.union([z.literal(256), z.literal(512), z.literal(1024), z.literal(1536)]).optional(),
  })
  .refine(({ model, output_dimension: dims }) => dims === undefined || model.startsWith("embed-v4"), {
    message: "output_dimension is only available for embed-v4 and newer models",
  })
  .transform(({ model, texts, input_type: task, embedding_types: types, truncate, output_dimension: dims }) => ({
    texts,
    task,
    model,
    dims: dims ?? null,
    base64: types[0] === "base64",
    truncate: truncate !== "NONE",
    normalize: true,
  }));

// Source: docs.voyageai.com/reference/embeddings-api and the API reference at mongodb.com/docs/voyageai (1,000 texts, 320,000 tokens for voyage-3.5), read 2026-11.
const voyage = z
  .strictObject({
    model: z.string(),
    input: oneOrMany,
    input_type: z.enum(["query", "document"]).nullish(),
    truncation: z.boolean().default(true),
    output_dimension: z.union([z.literal(256), z.literal(512), z.literal(1024), z.literal(2048)]).nullish(),
    output_dtype: z.literal("float").default("float"),
    encoding_format: z.literal("base64").nullish(),
  })
  .transform(({ model, input, input_type: task, truncation, output_dimension: dims, encoding_format: format }) => ({
    texts: input,
    task: task ?? "",
    model,
    dims: dims ?? null,
    base64: format === "base64",
    truncate: truncation,
    normalize: true,
  }));

// Source: huggingface/text-embeddings-inference docs/openapi.json 1.7.1 (413 batch size, 422 tokenizer, 424 backend, 429 overloaded), read 2026-11.
const tei = { inputs: oneOrMany, prompt_name: z.null().optional(), truncation_direction: z.string().optional() };
const teiDense = z
  .strictObject({
    ...tei,
    normalize: z.boolean().default(true),
    truncate: z.boolean().nullish(),
    dimensions: z.int().min(1).nullish(),
  })
  .transform(({ inputs, normalize, truncate, dimensions }) => ({
    ...plain,
    texts: inputs,
    model: null,
    dims: dimensions ?? null,
    truncate: truncate ?? false,
    normalize,
  }));
const teiSparse = z
  .strictObject({ ...tei, truncate: z.boolean().nullish() })
  .transform(({ inputs, truncate }) => ({ ...plain, texts: inputs, model: null, truncate: truncate ?? false }));

// Source: ollama/ollama docs/api.md, "Generate Embeddings", read 2026-11. truncate defaults to true.
const ollama = z
  .strictObject({
    model: z.string(),
    input: oneOrMany,
    truncate: z.boolean().default(true),
    dimensions: z.int().min(1).optional(),
    keep_alive: z.union([z.string(), z.number()]).optional(),
    options: z.record(z.string(), z.unknown()).optional(),
  })
  .transform(({ model, input, truncate, dimensions }) => ({
    ...plain,
    texts: input,
    model,
    dims: dimensions ?? null,
    truncate,
  }));

// Source: the contract of this project, docs/design.md section 6: an OpenAI-like envelope on three paths, data in input order.
const bgeM3 = z
  .strictObject({
    model: z.string().optional(),
    input: oneOrMany,
    encoding_format: z.enum(["float", "base64"]).default("float"),
  })
  .transform(({ model, input, encoding_format: format }) => ({
    ...plain,
    texts: input,
    model: model ?? null,
    base64: format === "base64",
  }));

/** @type {Readonly<Record<ProtocolId, Protocol>>} */
export const PROTOCOLS = {
  "jina-ai": {
    routes: { "/v1/embeddings": { kind: "dense", parse: parseWith(jina), answer: openAiAnswer } },
    key: "required",
    maxItems: 512,
    invalidStatus: 422,
    tooLongStatus: 400,
    unknownModelStatus: 422,
    error: ({ message }) => ({ detail: message }),
  },
  openai: {
    routes: { "/v1/embeddings": { kind: "dense", parse: parseWith(openAi), answer: openAiAnswer } },
    key: "required",
    maxItems: 2048,
    maxTotalTokens: 300_000,
    invalidStatus: 400,
    unknownModelStatus: 404,
    error: openAiError,
  },
  "openai-compatible": {
    routes: { "/v1/embeddings": { kind: "dense", parse: parseWith(openAi), answer: openAiAnswer } },
    key: "optional",
    maxItems: 1024,
    invalidStatus: 400,
    unknownModelStatus: 404,
    error: openAiError,
  },
  cohere: {
    routes: {
      "/v2/embed": {
        kind: "dense",
        parse: parseWith(cohere),
        answer: (answered) => ({
          id: "0f7d5c2e",
          embeddings: { [answered.asked.base64 ? "base64" : "float"]: bareItems(answered) },
          texts: answered.asked.texts.map((sent) => sent.toLowerCase()), // the service gives them back so
          meta: { api_version: { version: "2" }, billed_units: { input_tokens: answered.tokens } },
          response_type: "embeddings_by_type",
        }),
      },
    },
    key: "required",
    maxItems: 96,
    invalidStatus: 400,
    unknownModelStatus: 404,
    norm: 2.5, // not normalised
    error: ({ message }) => ({ id: "0f7d5c2e", message }),
  },
  voyage: {
    routes: {
      "/v1/embeddings": {
        kind: "dense",
        parse: parseWith(voyage),
        answer: (answered) => ({
          object: "list",
          data: indexedItems(answered),
          model: answered.model,
          usage: { total_tokens: answered.tokens },
        }),
      },
    },
    key: "required",
    maxItems: 1000,
    maxTotalTokens: 320_000,
    invalidStatus: 400,
    unknownModelStatus: 400,
    error: ({ message }) => ({ detail: message }),
  },
  tei: {
    routes: {
      "/embed": { kind: "dense", parse: parseWith(teiDense), answer: bareItems },
      "/embed_sparse": { kind: "sparse", parse: parseWith(teiSparse), answer: bareItems },
    },
    info: {
      "/info": ({ id, maxInputTokens }) => ({
        model_id: id,
        model_sha: null,
        model_dtype: "float32",
        model_type: { embedding: { pooling: "mean" } },
        max_concurrent_requests: 512,
        max_input_length: maxInputTokens,
        max_batch_tokens: 16_384,
        max_batch_requests: null,
        max_client_batch_size: 32,
        auto_truncate: false,
        tokenization_workers: 2,
        version: "1.7.1",
      }),
    },
    key: "optional",
    maxItems: 32,
    itemsStatus: 413,
    tooLongStatus: 413,
    invalidStatus: 422,
    unknownModelStatus: 404,
    error: ({ status, message }) => ({ error: message, error_type: status === 429 ? "Overloaded" : "Validation" }),
  },
  ollama: {
    routes: {
      "/api/embed": {
        kind: "dense",
        parse: parseWith(ollama),
        answer: (answered) => ({
          model: answered.model,
          embeddings: bareItems(answered),
          total_duration: 14_143_917,
          load_duration: 1_019_500,
          prompt_eval_count: answered.tokens,
        }),
      },
    },
    key: "optional",
    maxItems: 100_000,
    invalidStatus: 400,
    unknownModelStatus: 404,
    error: ({ message }) => ({ error: message }),
  },
  "bge-m3-service": {
    routes: {
      "/v1/embeddings": { kind: "dense", parse: parseWith(bgeM3), answer: openAiAnswer },
      "/v1/embeddings/sparse": {
        kind: "sparse",
        parse: parseWith(bgeM3),
        answer: (answered) => ({ ...openAiAnswer(answered), data: bareItems(answered) }),
      },
      "/v1/embeddings/colbert": {
        kind: "multi_vector",
        parse: parseWith(bgeM3),
        answer: (answered) => ({ ...openAiAnswer(answered), data: bareItems(answered) }),
      },
    },
    key: "optional",
    maxItems: 64,
    itemsStatus: 413,
    invalidStatus: 422,
    unknownModelStatus: 404,
    error: ({ message }) => ({ detail: message }),
  },
};
