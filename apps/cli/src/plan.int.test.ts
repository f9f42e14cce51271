import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, failureOf, ferries, MANIFEST, type Project } from "./command.fixture.js";
import { reingestCommand } from "./commands/reingest.js";
import { terminalIn } from "./terminal.fixture.js";

/** Its key is set nowhere, and its tokenizer is not here. */
const HOSTED = `  hosted:
    provider: openai
    model_id: text-embedding-3-small
    dims: 1536
    similarity: cosine
    tokenizer: { backend: tiktoken, model_id: cl100k_base }
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: [OPENAI_API_KEY]
    limits: { max_input_tokens: 8192, requests_per_minute: 1, max_batch_items: 2 }
    price_per_million_tokens: 10
`;

const Plan = z.object({
  namespace: z.string(),
  exists: z.boolean(),
  documents: z.number(),
  chunks: z.object({ total: z.number(), to_embed: z.number(), unchanged: z.number() }),
  tokens: z.number(),
  tokens_exact: z.boolean(),
  cost_usd: z.number().nullable(),
  seconds: z.number().nullable(),
  seconds_at_least: z.number(),
  bytes: z.number(),
  vector_bytes: z.number(),
  text_bytes: z.number(),
});
const Filled = z.object({ tokens: z.number(), chunks: z.object({ total: z.number(), embedded: z.number() }) });
const Status = z.object({
  namespaces: z.array(z.unknown()),
  runs: z.array(z.unknown()),
  audit: z.object({ rows: z.number() }),
});

describe("emb plan and emb reingest --dry-run", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject({ ...ferries(6), "config/embedding_profiles.yaml": `${MANIFEST}${HOSTED}` });
  });
  afterAll(() => project.remove());

  const plan = (...args: string[]) => project.emb(["plan", "--source", "docs", ...args]);

  it("says what the re-ingest then does, and leaves nothing behind", async () => {
    const planned = await plan("--to", "one", "--json");
    expect(planned.code).toBe(0);
    const before = documentOf(planned, Plan);
    expect(before).toMatchObject({
      namespace: "docs_one",
      exists: false,
      documents: 6,
      chunks: { total: 6, to_embed: 6, unchanged: 0 },
      tokens_exact: true,
      cost_usd: null,
      seconds: null,
      vector_bytes: 6 * 384 * 4,
    });
    expect(before.bytes).toBe(before.vector_bytes + before.text_bytes);

    const dry = await project.emb(["reingest", "--to", "one", "--source", "docs", "--dry-run", "--json"]);
    expect(dry.code).toBe(0);
    expect(documentOf(dry, Plan)).toEqual(before);
    expect(documentOf(await project.emb(["status", "--json"]), Status)).toEqual({
      namespaces: [],
      runs: [],
      audit: { rows: 0 },
    });

    const filled = documentOf(
      await project.emb(["reingest", "--to", "one", "--source", "docs", "--yes", "--json"]),
      Filled,
    );
    expect(filled).toEqual({ tokens: before.tokens, chunks: { total: 6, embedded: 6 } });

    await project.write("docs/ferry-0000.md", "A ferry of another kind.\n");
    const after = documentOf(await plan("--to", "one", "--json"), Plan);
    expect(after).toMatchObject({ exists: true, chunks: { total: 6, to_embed: 1, unchanged: 5 } });
    expect(after.seconds).toBeGreaterThan(0);
  });

  it("is shown on a terminal and asked about, before anything is written", async () => {
    const options = { to: "one", base: "asked", source: "docs", yes: false, dryRun: false };
    const { session, notes } = terminalIn(project, "n");
    await expect(reingestCommand(session, options)).rejects.toMatchObject({
      code: "EMB_CONSENT_REQUIRED",
      message: "not confirmed, nothing was done",
    });
    expect(notes).toContain("plan  asked_one (new)");
    expect(notes.at(-1)).toMatch(/^Fill asked_one with profile one from folder:.*\? \[y\/N\]$/);
    expect(failureOf(await project.emb(["status", "--base", "asked", "--json"])).code).toBe("EMB_BASE_UNKNOWN");
  });

  it("says that a price is unknown, never 0", async () => {
    const { stdout } = await plan("--to", "two");
    expect(stdout).toContain("  cost       unknown: the manifest has no price_per_million_tokens for this profile\n");
    expect(stdout).not.toContain(" 0.0000 USD");
  });

  it("needs neither the key nor the permission that a fill needs", async () => {
    const hosted = documentOf(await plan("--to", "hosted", "--base", "hosted", "--json"), Plan);
    expect(hosted).toMatchObject({ chunks: { to_embed: 6 }, seconds: null, seconds_at_least: 120 });
    expect(hosted.cost_usd).toBeCloseTo((hosted.tokens / 1e6) * 10, 12);
    const refused = await project.emb(["reingest", "--to", "hosted", "--source", "docs", "--dry-run", "--json"]);
    expect({ exit: refused.code, code: failureOf(refused).code }).toEqual({
      exit: 78,
      code: "EMB_PROFILE_OVERRIDE_REFUSED",
    });
  });

  it("is refused for a source that is not there", async () => {
    const missing = await project.emb(["plan", "--to", "one", "--source", "nowhere", "--json"]);
    expect({ exit: missing.code, code: failureOf(missing).code }).toEqual({ exit: 2, code: "EMB_SOURCE_MISSING" });
  });
});
