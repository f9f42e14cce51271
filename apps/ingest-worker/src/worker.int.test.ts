import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadSettings } from "@emb/config";
import { openSource, reingest } from "@emb/ingest";
import { createServiceLog, openStore, startTelemetry } from "@emb/query";
import { createModel } from "./model.js";
import { work } from "./worker.js";

it("goes on with a run that another process began, until told to stop", { timeout: 120_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "emb-worker-"));
  await mkdir(join(dir, "docs"));
  for (let i = 0; i < 12; i++)
    await writeFile(join(dir, "docs", `${i}.txt`), `Ferry number ${i} leaves at ${i} o'clock.`);
  const env = { ENV: "test", EMB_DATA_DIR: join(dir, "data") };
  const settings = loadSettings({ env, cwd: join(import.meta.dirname, "../../..") });
  const store = await openStore(settings);
  const stop = new AbortController();
  const notes: string[] = [];
  try {
    const begun = new AbortController();
    const { provider, tokenizer, chunker } = await createModel(settings, env, settings.active!);
    const setup = {
      store,
      base: "docs",
      mode: settings.namespaceMode,
      provider,
      tokenizer,
      chunker,
      source: await openSource(join(dir, "docs"), { maxDocumentBytes: 1_000_000 }),
      limits: settings.verify,
      commitRows: 100,
      shardDocuments: 3,
      leaseMs: 30_000,
      acceptFailures: 0,
      actor: "test",
      newRunId: randomUUID,
      nowMs: () => performance.now(),
      sleep: async () => {},
      signal: begun.signal,
      onProgress: ({ kind }: { kind: string }) => kind === "taken-in" && begun.abort(new Error("stopped after intake")),
    };
    await expect(reingest(setup)).rejects.toThrow("stopped after intake");
    await provider.close();

    const write = (text: string) => {
      notes.push(text);
      if (text.includes("run.ready")) stop.abort(new Error("done"));
    };
    const { signal } = stop;
    const log = await createServiceLog({ write, env });
    const telemetry = await startTelemetry({ env, serviceName: "test", environment: "test", log });
    await work({
      settings,
      env,
      store,
      instance: "one",
      stopping: signal,
      signal,
      nowMs: () => performance.now(),
      log,
      telemetry,
    });
    expect(notes.map((text) => JSON.parse(text) as unknown)).toEqual([
      expect.objectContaining({ event: "run.taken" }),
      expect.objectContaining({
        level: "info",
        event: "run.ready",
        namespace: "docs_st_minilm",
        embedding_profile: "st_minilm",
        embedding_namespace: "docs_st_minilm",
        embedding_strict_mode: true,
        embedding_profile_swappable: false,
        embedding_profile_experiment: "",
      }),
    ]);
    const metrics = await telemetry.metricsText();
    expect(metrics).toMatch(/^embedding_provider_info\{embedding_profile="st_minilm",.*environment="test"\} 0$/m); // it holds the model no more
    expect(metrics).toMatch(/^embedding_provider_texts_total\{.*side="document",outcome="ok"\} [1-9]\d*$/m);
    expect(metrics).toMatch(
      /^embedding_namespace_changes_queued\{embedding_profile="st_minilm",.*embedding_namespace="docs_st_minilm".*\} 0$/m,
    );
    const [run] = await store.runs.list({ base: "docs" });
    expect(run).toMatchObject({ state: "ready", counters: { documents: 12, embedded: 12 }, failures: 0 });
  } finally {
    await store.close();
    await rm(dir, { recursive: true });
  }
});
