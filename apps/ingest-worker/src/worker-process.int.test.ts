import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const WORKER = fileURLToPath(new URL("../bin/ingest-worker.js", import.meta.url));

it("says on every line and to the collector what it works for, and stops when told", { timeout: 120_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "emb-worker-"));
  const bodies: Record<string, Buffer[]> = {};
  const collector = createServer((request, response) => {
    request.on("data", (part: Buffer) => (bodies[request.url ?? ""] ??= []).push(part));
    request.on("end", () => response.end());
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const address = collector.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [WORKER], {
      cwd: join(import.meta.dirname, "../../.."),
      env: { PATH, ENV: "test", EMB_DATA_DIR: dir, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` },
    });
    let stderr = "";
    const ended = new Promise<number | null>((resolve) => void child.once("close", resolve));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (stderr.includes('"working"') && !child.killed) child.kill("SIGTERM");
    });
    expect(await ended).toBe(0);

    expect(stderr).toContain("Profile Swappable: False\nProfile Experiment:\n");
    const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
    const labels = {
      embedding_profile: "st_minilm",
      embedding_namespace: "docs_st_minilm",
      embedding_namespace_mode: "profile",
      embedding_strict_mode: true,
      embedding_profile_swappable: false,
      embedding_profile_experiment: "",
    };
    const line = (event: string, more = {}): unknown =>
      expect.objectContaining({ level: "info", event, ...labels, ...more });
    expect(lines.map((text): unknown => JSON.parse(text))).toEqual([
      line("listening"),
      line("working", { environment: "test", concurrency: 2 }),
      line("stopping", { reason: "stopped by SIGTERM", stop_ms: 20_000 }),
      line("stopped"),
    ]);
    const metrics = Buffer.concat(bodies["/v1/metrics"] ?? []).toString("latin1");
    for (const text of ["embedding_provider_info", "embedding_profile_guard_events_total", "emb-ingest-worker"])
      expect(metrics).toContain(text);
  } finally {
    collector.close();
    await rm(dir, { recursive: true });
  }
});

const ACTION = "Say it in config/<env>.yaml or the environment, and start it without arguments.\n";

it.each([
  ["--help", 0, `usage: emb-ingest-worker\n  ${ACTION}`],
  ["--port", 2, `error EMB_USAGE emb-ingest-worker: expected no arguments, seen --port\n  -> ${ACTION}`],
])("with %s it says how it is used and starts nothing", (argument, exit, said) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [WORKER, argument], {
    encoding: "utf8",
    timeout: 20_000,
  });
  expect({ status, stdout }).toEqual({ status: exit, stdout: "" });
  expect(stderr).toBe(said);
});
