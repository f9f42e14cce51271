import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isEmbError } from "@emb/manifest";
import type { Documents } from "@emb/store";
import { createServerDriver, openServerStore } from "@emb/store/server";
import { DIMS, startModelService, type ModelService } from "./model-service.fixture.js";
import { startOwnPostgres, type OwnPostgres } from "./own-postgres.fixture.js";
import { createStart, EMB, linesOf, WORKER, type Program, type Start } from "./program.fixture.js";
import { FAULT_KINDS, WORKERS, type FaultKind } from "./schedule.js";

/** Short, so that a dead or frozen holder costs a test little. */
export const LEASE_MS = 1_000;

/** Most time that the database may be away, or a lease take to be over. */
export const PATIENCE_MS = 20_000;

type Rows = Awaited<ReturnType<Awaited<ReturnType<typeof createServerDriver>>["query"]>>["rows"];

/** A database server, a model and two workers, all real processes, that one schedule after the other is played in. */
export interface FaultWorld {
  readonly postgres: OwnPostgres;
  readonly service: ModelService;
  readonly workers: readonly Program[];
  /** As a program has them that writes documents by itself. */
  readonly documents: Documents;
  /** What can be done here. */
  readonly kinds: readonly FaultKind[];
  /** Why something cannot; empty when all can. */
  readonly skipped: string;
  write(file: string, content: string): Promise<void>;
  emb(...args: string[]): Program;
  /** Starts worker `place` again: the one before has ended. */
  replaceWorker(place: number): void;
  /** Tries again while the database is away. */
  readonly patiently: <T>(work: () => Promise<T>) => Promise<T>;
  query(sql: string, params?: readonly (string | number)[]): Promise<Rows>;
  close(): Promise<void>;
}

export async function createFaultWorld(): Promise<FaultWorld> {
  const postgres = await startOwnPostgres();
  const service = await startModelService(20);
  const dir = await mkdtemp(join(tmpdir(), "emb-faults-project-"));
  await mkdir(join(dir, "config"));
  const write: FaultWorld["write"] = (file, content) => writeFile(join(dir, file), content);
  await write(
    "config/embedding_profiles.yaml",
    `profiles:
  far:
    provider: openai-compatible
    model_id: far
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: []
    limits: { max_input_tokens: 512, max_batch_items: 4 }
`,
  );
  await write(
    "config/production.yaml",
    `embedding: { profile: far }
ingest: { port: 0, commit_rows: 8, shard_documents: 20, lease_ms: ${LEASE_MS}, concurrency: 2, stop_ms: 1000, chunk_tokens: 40 }
`,
  );
  const { PATH = "" } = process.env;
  const env = { PATH, ENV: "production", DATABASE_URL: postgres.url, OPENAI_COMPATIBLE_URL: service.url };
  const programs: Program[] = [];
  const startProgram = createStart(dir, env);
  const start: Start = (...args) => {
    const program = startProgram(...args);
    programs.push(program);
    return program;
  };
  const admin = await createServerDriver({ connectionString: postgres.url, maxConnections: 2 });
  const store = await openServerStore({ connectionString: postgres.url, maxConnections: 2 }); // makes the schema, so that the workers do not meet over it
  const workers = Array.from({ length: WORKERS }, () => start(WORKER));
  await Promise.all(workers.map((worker) => said(worker, "working")));
  const patiently: FaultWorld["patiently"] = async (work) => {
    for (const until = performance.now() + PATIENCE_MS; ; await sleep(50))
      try {
        return await work();
      } catch (error) {
        // a server that was started on a full disk says so to whoever connects
        const away = isEmbError(error, "EMB_STORE_UNAVAILABLE") || isEmbError(error, "EMB_STORE_FULL");
        if (!away || performance.now() > until) throw error;
      }
  };
  return {
    postgres,
    service,
    workers,
    documents: store.documents,
    kinds: FAULT_KINDS.filter((kind) => kind !== "full-disk" || postgres.noSmallDisk === ""),
    skipped: postgres.noSmallDisk,
    write,
    emb: (...args) => start(EMB, args),
    replaceWorker: (place) => void (workers[place] = start(WORKER)),
    patiently,
    query: (sql, params = []) => patiently(async () => (await admin.query(sql, params)).rows),
    async close() {
      for (const program of programs) program.kill("SIGKILL");
      await Promise.all(programs.map(({ ended }) => ended));
      await store.close();
      await admin.close();
      postgres.remove();
      await service.close();
      await rm(dir, { recursive: true });
    },
  };
}

/** Waits for a line of a service with this event, from line `after` on. @returns null when it does not come in time */
export async function said(
  program: Program,
  event: string,
  { after = 0, timeoutMs = 20_000 }: { after?: number; timeoutMs?: number } = {},
): Promise<ReturnType<typeof linesOf>[number] | null> {
  for (const until = performance.now() + timeoutMs; performance.now() < until; await sleep(20)) {
    const line = linesOf(program)
      .slice(after)
      .find((one) => one.event === event);
    if (line !== undefined) return line;
    if (!program.running()) return null;
  }
  return null;
}
