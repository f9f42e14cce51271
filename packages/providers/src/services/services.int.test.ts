import { createServer, type Server } from "node:http";
import { json } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Profile } from "@emb/manifest";
import { createProvider } from "../factory.js";
import { profileOf } from "../profile.test-data.js";

/** Answers of each service in its documented shape, to see that its description and the client around it fit together. */

const live = { signal: new AbortController().signal };
const TEXTS = ["first", "second"];
/** The narrowest that base64 is asked for. */
const DIMS = 16;
const VECTORS = [
  [0.6, 0.8, ...Array<number>(DIMS - 2).fill(0)],
  [1, 0, ...Array<number>(DIMS - 2).fill(0)],
];
const base64 = VECTORS.map((vector) => Buffer.from(Float32Array.from(vector).buffer).toString("base64"));
const openAiItems = (embeddings: readonly unknown[]) =>
  embeddings.map((embedding, index) => ({ object: "embedding", index, embedding })).toReversed();
const usage = { prompt_tokens: 7, total_tokens: 7 };

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

interface Request {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A server that gives each path its answer. @returns its address, and what it was sent */
async function serve(answers: Readonly<Record<string, unknown>>): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = [];
  server = createServer((request, response) => {
    void (async () => {
      const body: unknown = request.method === "POST" ? await json(request) : null;
      requests.push({ path: request.url ?? "", authorization: request.headers.authorization, body });
      const answer = answers[request.url ?? ""];
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? {}));
    })();
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`, requests };
}

const hosted = (provider: string, serviceUrl: string, changes: Partial<Omit<Profile, "limits">> = {}): Profile =>
  profileOf({ provider, modelId: "m", dims: DIMS, serviceUrl, ...changes, limits: { maxInputTokens: 512 } });
const open = (profile: Profile, env: Record<string, string> = {}) =>
  createProvider(profile, { env, dataDir: "unused" });

interface Case {
  readonly provider: string;
  readonly path: string;
  readonly prefix?: string;
  readonly key?: string;
  readonly answer: unknown;
  readonly tokens: number | null;
}

const openAi = (embeddings: readonly unknown[]) => ({
  object: "list",
  data: openAiItems(embeddings),
  model: "m",
  usage,
});
const CASES: readonly Case[] = [
  {
    provider: "jina-ai",
    prefix: "/v1",
    path: "/v1/embeddings",
    key: "JINA_API_KEY",
    answer: openAi(base64),
    tokens: 7,
  },
  {
    provider: "openai",
    prefix: "/v1",
    path: "/v1/embeddings",
    key: "OPENAI_API_KEY",
    answer: openAi(base64),
    tokens: 7,
  },
  { provider: "openai-compatible", prefix: "/v1", path: "/v1/embeddings", answer: openAi(VECTORS), tokens: 7 },
  {
    provider: "voyage",
    prefix: "/v1",
    path: "/v1/embeddings",
    key: "VOYAGE_API_KEY",
    answer: openAi(base64),
    tokens: 7,
  },
  {
    provider: "cohere",
    path: "/v2/embed",
    key: "COHERE_API_KEY",
    answer: { id: "x", texts: TEXTS, embeddings: { base64 }, meta: { billed_units: { input_tokens: 3 } } },
    tokens: 3,
  },
  { provider: "tei", path: "/embed", key: "TEI_API_KEY", answer: VECTORS, tokens: null },
  {
    provider: "ollama",
    path: "/api/embed",
    answer: { model: "m", embeddings: VECTORS, prompt_eval_count: 5 },
    tokens: 5,
  },
  {
    provider: "bge-m3-service",
    path: "/v1/embeddings",
    key: "BGE_M3_API_KEY",
    answer: { data: VECTORS.map((embedding) => ({ embedding })), model: "m" },
    tokens: null,
  },
];

describe.each(CASES)("$provider", ({ provider, path, prefix = "", key, answer, tokens }) => {
  it("gives the vectors in the order of the texts", async () => {
    const { url, requests } = await serve({ [path]: answer, "/info": { model_id: "m" } });
    const model = await open(hosted(provider, url + prefix), key === undefined ? {} : { [key]: "secret" });
    const answered = await model.embedDocuments(TEXTS, live);
    expect(answered).toEqual({ dense: Float32Array.from(VECTORS.flat()), count: 2, dims: DIMS, tokens });
    const sent = requests.find((request) => request.path === path);
    expect(sent?.authorization).toBe(key === undefined ? undefined : "Bearer secret");
    const { inputs, input, texts } = z
      .object({ inputs: z.unknown(), input: z.unknown(), texts: z.unknown() })
      .partial()
      .parse(sent?.body);
    expect(inputs ?? input ?? texts).toEqual(TEXTS);
    await model.close();
  });
});

const rows = {
  indices: Uint32Array.from([3, 250_001, 7]),
  values: Float32Array.from([0.5, 0.25, 1.5]),
  offsets: Uint32Array.from([0, 2, 3]),
  count: 2,
  tokens: null,
};
const plain = profileOf().capabilities;

it("bge-m3-service gives sparse and multi-vectors", async () => {
  const { url } = await serve({
    "/v1/embeddings/sparse": {
      data: [
        { indices: [3, 250_001], values: [0.5, 0.25] },
        { indices: [7], values: [1.5] },
      ],
    },
    "/v1/embeddings/colbert": { data: [{ vectors: [VECTORS[0], VECTORS[1]] }, { vectors: [VECTORS[1]] }] },
  });
  const capabilities = { ...plain, supportsSparse: true, supportsColbert: true };
  const model = await open(hosted("bge-m3-service", url, { capabilities }));
  expect(await model.sparse?.embedDocuments(TEXTS, live)).toEqual(rows);
  expect(await model.multiVector?.embedQueries(TEXTS, live)).toEqual({
    vectors: Float32Array.from([VECTORS[0]!, VECTORS[1]!, VECTORS[1]!].flat()),
    offsets: Uint32Array.from([0, 2, 3]),
    count: 2,
    dims: DIMS,
    tokens: null,
  });
  await model.close();
});

it("tei gives sparse vectors, and is refused when it runs another model", async () => {
  const answer = [
    [
      { index: 3, value: 0.5 },
      { index: 250_001, value: 0.25 },
    ],
    [{ index: 7, value: 1.5 }],
  ];
  const { url } = await serve({ "/embed_sparse": answer, "/embed": VECTORS, "/info": { model_id: "m" } });
  const capabilities = { ...plain, supportsSparse: true };
  const model = await open(hosted("tei", url, { capabilities }));
  expect(await model.sparse?.embedDocuments(TEXTS, live)).toEqual(rows);
  await model.close();

  const other = await open(hosted("tei", url, { modelId: "another" }));
  await expect(other.embedDocuments(TEXTS, live)).rejects.toMatchObject({ code: "EMB_PROVIDER_RESPONSE_INVALID" });
  await other.close();
});
