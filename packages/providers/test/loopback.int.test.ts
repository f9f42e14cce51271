import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startLoopback, type Loopback, type LoopbackService } from "./loopback.js";
import type { ProtocolId } from "./loopback/protocols.js";
import { multiVectorOf, sparseOf, vectorOf } from "./loopback/vectors.js";

const key = "a-key-of-the-loopback-test";
const model = { id: "the-model", dims: 8, maxInputTokens: 6 };
const texts = ["one two", "three"];
const tooLong = "one two three four five";

let loopback: Loopback;
let service: LoopbackService;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterEach(() => service.close());
afterAll(() => loopback.close());

const open = async (protocol: ProtocolId) => {
  service = await loopback.open({ protocol, key, model });
  return service;
};
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${service.origin}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify(body),
  });

const floats = (task = "", norm = 1) => texts.map((text) => [...vectorOf(text, task, model.dims, norm)]);
const base64 = (task = "", norm = 1) =>
  texts.map((text) => Buffer.from(vectorOf(text, task, model.dims, norm).buffer).toString("base64"));
const data = (vectors: readonly unknown[]) =>
  vectors.map((embedding, index) => ({ object: "embedding", index, embedding }));

/** What a client of the service sends, and where the vectors stand in the answer. */
const SOUND: [ProtocolId, string, Record<string, unknown>, Record<string, unknown> | unknown[]][] = [
  [
    "jina-ai",
    "/v1/embeddings",
    { model: model.id, input: texts, task: "retrieval.query", normalized: true, embedding_type: "base64" },
    { data: data(base64("retrieval.query")), usage: { prompt_tokens: 7, total_tokens: 7 } },
  ],
  ["openai", "/v1/embeddings", { model: model.id, input: texts }, { data: data(floats()), model: model.id }],
  [
    "openai-compatible",
    "/v1/embeddings",
    { model: model.id, input: texts, encoding_format: "base64" },
    { data: data(base64()) },
  ],
  [
    "cohere",
    "/v2/embed",
    { model: model.id, texts, input_type: "search_document", embedding_types: ["float"], truncate: "NONE" },
    { embeddings: { float: floats("search_document", 2.5) } },
  ],
  [
    "voyage",
    "/v1/embeddings",
    { model: model.id, input: texts, input_type: "query", truncation: false, encoding_format: "base64" },
    { data: data(base64("query")), usage: { total_tokens: 7 } },
  ],
  ["tei", "/embed", { inputs: texts, truncate: false }, floats()],
  [
    "tei",
    "/embed_sparse",
    { inputs: texts },
    texts.map((text) => {
      const { indices, values } = sparseOf(text);
      return indices.map((index, i) => ({ index, value: values[i] }));
    }),
  ],
  [
    "ollama",
    "/api/embed",
    { model: model.id, input: texts, truncate: false },
    { embeddings: floats(), prompt_eval_count: 7 },
  ],
  ["bge-m3-service", "/v1/embeddings", { model: model.id, input: texts }, { data: data(floats()) }],
  ["bge-m3-service", "/v1/embeddings/sparse", { model: model.id, input: texts }, { data: texts.map(sparseOf) }],
  [
    "bge-m3-service",
    "/v1/embeddings/colbert",
    { model: model.id, input: texts },
    { data: texts.map((text) => ({ vectors: multiVectorOf(text, model.dims).map((vector) => [...vector]) })) },
  ],
];
const inputKey = (body: Record<string, unknown>) => ["input", "inputs", "texts"].find((name) => name in body)!;

describe.each(SOUND)("the loopback %s at %s", (protocol, path, body, answer) => {
  it("answers a sound request as the service does", async () => {
    await open(protocol);
    const response = await post(path, body);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject(answer);
    expect((await service.report()).requests).toMatchObject([{ path, status: 200, texts, answered: true }]);
  });

  it("refuses a parameter that it does not know, an empty list, a text over the limit, another key and another model", async () => {
    await open(protocol);
    const input = inputKey(body);
    expect((await post(path, { ...body, "no-such-parameter": 1 })).status).toBeOneOf([400, 422]);
    expect((await post(path, { ...body, [input]: [] })).status).toBeOneOf([400, 422]);
    expect((await post(path, { ...body, [input]: [tooLong] })).status).toBeOneOf([400, 413, 422]);
    expect((await post(path, body, { authorization: "Bearer another" })).status).toBe(401);
    if ("model" in body) expect((await post(path, { ...body, model: "another" })).status).toBeOneOf([400, 404, 422]);
    expect((await service.report()).requests.filter(({ answered }) => answered)).toEqual([]);
  });
});

describe("the loopback services", () => {
  const ask = (sent: readonly string[] = texts) => post("/v1/embeddings", { model: model.id, input: sent });

  it("truncate in silence when told so, as the services do by default", async () => {
    await open("ollama");
    const response = await post("/api/embed", { model: model.id, input: tooLong });
    expect(await response.json()).toMatchObject({
      embeddings: [[...vectorOf("one two three four", "", model.dims)]],
    });
  });

  it("name their model at /info", async () => {
    await open("tei");
    const response = await fetch(`${service.origin}/info`);
    expect(await response.json()).toMatchObject({ model_id: model.id, max_input_length: 6 });
  });

  it("give each request the first fault that meets it", async () => {
    await open("openai");
    await service.play([
      { what: { kind: "status", status: 500 }, times: 1, skip: 1 },
      { what: { kind: "status", status: 400 }, when: { marker: "bad" } },
      { what: { kind: "status", status: 503 }, when: { every: 3 } },
    ]);
    const statuses = [];
    for (const sent of [["a"], ["b"], ["a bad one"], ["c"], ["d"], ["e"]]) statuses.push((await ask(sent)).status);
    // The third fault counts only what the first two let through: a, c, d.
    expect(statuses).toEqual([200, 500, 400, 200, 503, 200]);
  });

  it("tell which texts came again after they had been answered", async () => {
    await open("openai");
    await service.play([{ what: { kind: "vector", how: "nan" }, times: 1 }]);
    for (const sent of [["a"], ["a", "b"], ["c", "b"]]) await (await ask(sent)).text();
    expect((await service.report()).requests.map(({ answered, again }) => [answered, again])).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
  });

  it("count open sockets and requests under way", async () => {
    await open("openai");
    await service.play([{ what: { kind: "hang", where: "headers" } }]);
    const calls = [1, 2].map(() =>
      request(`${service.origin}/v1/embeddings`, { method: "POST" }).on("error", () => {}),
    );
    for (const call of calls) call.end();
    await expect.poll(() => service.report()).toMatchObject({ inFlight: 2, openSockets: 2, keySeen: false });
    for (const call of calls) call.destroy();
    await expect.poll(() => service.report()).toMatchObject({ inFlight: 0, openSockets: 0, maxInFlight: 2 });
  });

  it("write sound answers in unusual ways", async () => {
    await open("openai");
    const plain: unknown = await (await ask()).json();
    const style = { whitespace: true, reverseKeys: true, extraFields: true, exponents: true, escapes: true };
    await service.play([{ what: { kind: "style", style, chunkBytes: 7 } }]);
    expect(await (await ask()).json()).toMatchObject(Object(plain));
  });
});
