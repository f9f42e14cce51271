import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadSettings, type Settings } from "@emb/config";
import { openSource, reingest, type ReingestSetup } from "@emb/ingest";
import { openStore } from "@emb/query";
import type { Store } from "@emb/store";
import { createServerDriver } from "@emb/store/server";
import { farManifest } from "./embedding-service.fixture.js";
import { createModel } from "./model.js";

const WORKER = fileURLToPath(new URL("../bin/ingest-worker.js", import.meta.url));
/** The server that scripts/with-postgres started; empty when there is none. */
export const SERVER = process.env["TEST_DATABASE_URL"]?.trim() ?? "";

const Line = z.looseObject({ event: z.string() });
type Line = z.infer<typeof Line>;

interface WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
  lines(): readonly Line[];
  /** The first line with this event, and `more` of it; rejects when the process ends before. */
  says(event: string, more?: Readonly<Record<string, unknown>>): Promise<Line>;
  kill(signal: NodeJS.Signals): void;
}

export interface WorkerProject {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly settings: Settings;
  readonly store: Store;
  startWorker(env?: Readonly<Record<string, string>>): WorkerProcess;
  /** A run whose `documents` texts are taken in and cut into shards, which no process fills yet. @returns its id */
  beginRun(documents: number): Promise<string>;
  query(sql: string): Promise<void>;
  /** Ends what still runs, and drops what the database has of it. */
  remove(): Promise<void>;
}

/** A project folder on the server with one profile, `far`, whose model answers at `serviceUrl`. */
export async function createWorkerProject(setup: {
  serviceUrl: string;
  ingest?: string;
  limits?: string;
}): Promise<WorkerProject> {
  const dir = await mkdtemp(join(tmpdir(), "emb-workers-"));
  const id = randomBytes(6).toString("hex");
  await mkdir(join(dir, "config"));
  await writeFile(join(dir, "config/embedding_profiles.yaml"), farManifest(setup.limits));
  await writeFile(
    join(dir, "config/production.yaml"),
    `embedding: { profile: far }
store: { schema: emb_test_${id}, queue_schema: emb_boss_${id} }
ingest: { port: 0, commit_rows: 4, shard_documents: 12${setup.ingest ?? ""} }
`,
  );
  const { PATH = "" } = process.env;
  const env = { PATH, ENV: "production", DATABASE_URL: SERVER, OPENAI_COMPATIBLE_URL: setup.serviceUrl };
  const settings = loadSettings({ env, cwd: dir });
  const store = await openStore(settings);
  const workers: WorkerProcess[] = [];
  const query = async (sql: string): Promise<void> => {
    const driver = await createServerDriver({ connectionString: SERVER, maxConnections: 1 });
    try {
      await driver.exec(sql);
    } finally {
      await driver.close();
    }
  };
  return {
    dir,
    env,
    settings,
    store,
    startWorker(more = {}) {
      const worker = startWorkerProcess(dir, { ...env, ...more });
      workers.push(worker);
      return worker;
    },
    beginRun: (documents) => beginRun({ dir, env, settings, store }, documents),
    query,
    async remove() {
      for (const worker of workers) worker.kill("SIGKILL");
      await Promise.all(workers.map(({ ended }) => ended));
      await store.close();
      for (const schema of [settings.store.schema, settings.store.queueSchema])
        await query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await rm(dir, { recursive: true });
    },
  };
}

/** The real worker, with nothing of this process's environment but what is given. */
function startWorkerProcess(cwd: string, env: Readonly<Record<string, string>>): WorkerProcess {
  const child = spawn(process.execPath, [WORKER], { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, stderr }));
  });
  const lines = () =>
    stderr
      .split("\n")
      .slice(0, -1)
      .filter((text) => text.startsWith("{"))
      .map((text) => Line.parse(JSON.parse(text)));
  return {
    pid: child.pid ?? -1,
    ended,
    lines,
    says: (event, more = {}) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = lines().find(
            (said) => said.event === event && Object.entries(more).every(([key, value]) => said[key] === value),
          );
          if (line !== undefined) resolve(line);
        };
        child.stderr.on("data", look);
        child.once("close", () => reject(new Error(`the worker ended without ${event}: ${stderr}`)));
        look();
      }),
    kill: (signal) => void child.kill(signal),
  };
}

async function beginRun(
  { dir, env, settings, store }: Pick<WorkerProject, "dir" | "env" | "settings" | "store">,
  documents: number,
): Promise<string> {
  const texts = Array.from({ length: documents }, (_, place) =>
    JSON.stringify({ id: `d${String(place).padStart(4, "0")}`, text: `Ferry number ${place} leaves at ${place}.` }),
  );
  await writeFile(join(dir, "texts.jsonl"), texts.join("\n"));
  const begun = new AbortController();
  const model = await createModel(settings, env, settings.active!);
  const { commitRows, leaseMs, shardDocuments } = settings.ingest;
  const runId = randomUUID();
  const setup: ReingestSetup = {
    store,
    ...model,
    base: "docs",
    mode: settings.namespaceMode,
    source: await openSource(join(dir, "texts.jsonl"), { maxDocumentBytes: 1_000_000 }),
    limits: settings.verify,
    commitRows,
    shardDocuments,
    leaseMs,
    acceptFailures: 0,
    actor: "test",
    newRunId: () => runId,
    nowMs: () => performance.now(),
    sleep: async () => {},
    signal: begun.signal,
    onProgress: ({ kind }) => kind === "taken-in" && begun.abort(new Error("begun")),
  };
  await reingest(setup).catch((error: unknown) => {
    if (!begun.signal.aborted) throw error;
  });
  await model.provider.close();
  return runId;
}
