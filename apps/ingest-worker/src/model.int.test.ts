import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSettings } from "@emb/config";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIMS, farManifest, startEmbeddingService, type EmbeddingServiceFixture } from "./embedding-service.fixture.js";
import { createModel } from "./model.js";

const live = { signal: new AbortController().signal };

describe("a model of a service that is busy for a moment", { timeout: 30_000 }, () => {
  let dir: string;
  let service: EmbeddingServiceFixture;
  beforeEach(async () => {
    service = await startEmbeddingService({ busySeconds: 3 }); // more than one waits who is asked a question
    dir = await mkdtemp(join(tmpdir(), "emb-model-"));
    await mkdir(join(dir, "config"));
    await writeFile(join(dir, "config/embedding_profiles.yaml"), farManifest());
    await writeFile(join(dir, "config/test.yaml"), "embedding: { profile: far }\n");
  });
  afterEach(async () => {
    await service.close();
    await rm(dir, { recursive: true });
  });
  const open = async (told?: Parameters<typeof createModel>[3]) => {
    const env = { ENV: "test", OPENAI_COMPATIBLE_URL: service.url };
    const settings = loadSettings({ env, cwd: dir });
    const { provider } = await createModel(settings, env, settings.active!, told);
    return provider;
  };

  it("waits for it with a query too, as a run does with what it was filled with", async () => {
    const provider = await open();
    expect(await provider.embedQueries(["When does the ferry leave?"], live)).toMatchObject({ count: 1, dims: DIMS });
    expect(service.requests).toHaveLength(2);
    await provider.close();
  });

  it("does not where somebody waits for the answer", async () => {
    const provider = await open({ http: {} });
    await expect(provider.embedQueries(["When does the ferry leave?"], live)).rejects.toMatchObject({
      code: "EMB_PROVIDER_RATE_LIMITED",
    });
    await provider.close();
  });
});
