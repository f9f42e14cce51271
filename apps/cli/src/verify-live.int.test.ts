import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createEmbeddedDriver } from "@emb/store";
import { createServerDriver } from "@emb/store/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, failureOf, profileYaml, type Project, type Running } from "./command.fixture.js";

const MODEL = "sentence-transformers/all-MiniLM-L6-v2";
const hosted = (name: string, provider: string, url: string, requirement = "") => `  ${name}:
    provider: ${provider}
    model_id: ${MODEL}
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface }
    service_url: ${url}
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: [${requirement}]
    limits: { max_input_tokens: 256 }
`;

const limitedTo = (requestsPerMinute: number) =>
  hosted("limited", "tei", url).replace("limits: {", `limits: { requests_per_minute: ${requestsPerMinute},`);

let project: Project;
let served: Running;
let url: string;
beforeAll(async () => {
  project = await createProject();
  served = project.start(["serve-model", "--profile", "one", "--port", "0"]);
  await served.says(/on http:\S+;/);
  url = /on (http:\S+);/.exec(served.stderr())![1]!;
});
afterAll(async () => {
  await served.kill("SIGTERM");
  await project.remove();
});

const Verified = z.object({
  profiles: z.array(z.object({ name: z.string(), missing: z.array(z.string()), live: z.unknown() })),
});
const verify = async (profiles: string, args: readonly string[]) => {
  await project.write("config/embedding_profiles.yaml", `profiles:\n${profileYaml("one")}${profiles}`);
  const ended = await project.emb(["verify", "providers", "--json", ...args]);
  return { code: ended.code, profiles: documentOf(ended, Verified).profiles };
};
const answered = {
  ok: true,
  dims: 384,
  norm: expect.closeTo(1, 4),
  latency_ms: expect.any(Number),
  model: MODEL,
  error: null,
};

it("asks the model in process and behind each protocol, and leaves out what lacks a requirement", async () => {
  const seen = await verify(
    hosted("openai_protocol", "openai-compatible", `${url}/v1`) +
      hosted("tei_protocol", "tei", url) +
      hosted("keyless", "tei", url, "SOME_KEY"),
    ["--live"],
  );
  expect(seen).toEqual({
    code: 0,
    profiles: [
      { name: "one", missing: [], live: answered },
      { name: "openai_protocol", missing: [], live: answered },
      { name: "tei_protocol", missing: [], live: answered },
      { name: "keyless", missing: ["SOME_KEY"], live: null },
    ],
  });
});

it("exits with 1 when one fails, and still asks the others", async () => {
  const seen = await verify(hosted("nowhere", "tei", "http://127.0.0.1:1") + hosted("here", "tei", url), ["--live"]);
  expect(seen.code).toBe(1);
  expect(seen.profiles.map(({ live }) => live)).toEqual([
    answered,
    {
      ok: false,
      dims: null,
      norm: null,
      latency_ms: null,
      model: null,
      error: { code: "EMB_PROVIDER_UNAVAILABLE", message: expect.any(String), hint: expect.any(String) },
    },
    answered,
  ]);
});

it("asks nobody without --live", async () => {
  const seen = await verify(hosted("nowhere", "tei", "http://127.0.0.1:1"), []);
  expect(seen).toEqual({
    code: 0,
    profiles: [
      { name: "one", missing: [], live: null },
      { name: "nowhere", missing: [], live: null },
    ],
  });
});

const database = process.env["TEST_DATABASE_URL"]?.trim() ?? "";
it.skipIf(database === "")(
  `on a server is counted with what every other process asks${database === "" ? " (skipped: TEST_DATABASE_URL is not set)" : ""}`,
  async () => {
    const schema = `emb_test_${randomBytes(6).toString("hex")}`;
    const onServer = await createProject({
      "config/production.yaml": `embedding: { profile: one }\nstore: { schema: ${schema}, queue_schema: ${schema}_boss }\n`,
      "config/embedding_profiles.yaml": `profiles:\n${profileYaml("one")}${limitedTo(6000)}`,
    });
    const driver = await createServerDriver({ connectionString: database });
    const live = (env: Record<string, string>) => onServer.emb(["verify", "providers", "--live", "--json"], env);
    try {
      expect((await live({ DATABASE_URL: database })).code).toBe(0);
      expect((await driver.query(`SELECT key FROM ${schema}.rate_limits`)).rows).toEqual([
        { key: expect.stringContaining(MODEL) },
      ]);
      const away = await live({ DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" });
      expect({ code: away.code, failure: failureOf(away).code }).toEqual({
        code: 75,
        failure: "EMB_STORE_UNAVAILABLE",
      });
    } finally {
      await driver.exec(`DROP SCHEMA IF EXISTS ${schema} CASCADE; DROP SCHEMA IF EXISTS ${schema}_boss CASCADE`);
      await driver.close();
      await onServer.remove();
    }
  },
);

it("shares the profile's rate limits with every other process, as a question, a verification and a change do", async () => {
  await project.write("config/embedding_profiles.yaml", `profiles:\n${profileYaml("one")}${limitedTo(6000)}`);
  await project.write("docs/a.txt", "The ferry leaves at nine.");
  const emb = async (...args: string[]) =>
    (await project.emb([...args, "--json"], { EMBEDDING_PROFILE_SWAPPABLE: "true" })).code;
  /** How many services were counted for since the last look. */
  const counted = async () => {
    const driver = await createEmbeddedDriver({ directory: join(project.dir, ".emb", "postgres") });
    const { affected } = await driver.query("DELETE FROM emb.rate_limits");
    await driver.close();
    return affected;
  };
  expect([await emb("reingest", "--to", "limited", "--source", "docs", "--yes"), await counted()]).toEqual([0, 1]);
  expect([await emb("search", "ferry", "--profile", "limited"), await counted()]).toEqual([0, 1]);
  expect([await emb("verify", "namespace", "--profile", "limited"), await counted()]).toEqual([0, 1]);
  expect([await emb("put", "docs/a.txt", "--id", "b.txt"), await counted()]).toEqual([0, 1]);
}, 60_000);
