import { Worker } from "node:worker_threads";
import { EmbError } from "@emb/manifest";
import { databaseError } from "./database-error.js";
import { createQueue } from "./in-order.js";
import { localSettings } from "./local-settings.js";
import type { WorkerReply, WorkerRequest } from "./embedded-messages.js";
import type { SqlCapabilities, SqlDriver, SqlResult, SqlSession, SqlTransaction } from "./sql-driver.js";
import { runTransaction } from "./sql-transaction.js";

const CAPABILITIES: SqlCapabilities = {
  kind: "embedded",
  concurrentSessions: false,
  concurrentIndexBuild: false,
  binaryValues: false,
  minIndexedRows: 20_000, // exact search takes 25 ms there, the index build more than 15 s; see bench
  indexBuildBytes: 512 * 1024 * 1024,
};

type Request = WorkerRequest extends infer R ? (R extends { kind: string } ? Omit<R, "id"> : never) : never;
interface Call {
  resolve(result: SqlResult): void;
  reject(error: EmbError): void;
}

const unavailable = (message: string, hint: string, cause?: unknown) =>
  new EmbError("EMB_STORE_UNAVAILABLE", message, { hint, ...(cause === undefined ? {} : { cause }) });

function replyError(reply: Exclude<WorkerReply, { kind: "done" }>): EmbError {
  if (reply.kind === "refused") return databaseError(reply);
  return unavailable(
    `the embedded database could not be started: ${reply.message}`,
    reply.missing === null ? "Check that the folder is writable and not damaged." : `Install ${reply.missing}.`,
  );
}

/** Calls to the worker, answered by number. When the worker dies every open and later call is rejected. */
function createChannel(worker: Worker) {
  const calls = new Map<number, Call>();
  let sent = 0;
  let dead: EmbError | null = null;
  const die = (message: string, cause?: unknown) => {
    dead ??= unavailable(message, "Open the store again; what was committed is kept.", cause);
    for (const call of calls.values()) call.reject(dead);
    calls.clear();
  };
  worker.on("message", (reply: WorkerReply) => {
    const call = calls.get(reply.id);
    calls.delete(reply.id);
    if (reply.kind === "done") call?.resolve(reply);
    else call?.reject(replyError(reply));
  });
  worker.on("error", (error) => die(`the thread of the embedded database crashed: ${error.message}`, error));
  worker.on("exit", () => die("the thread of the embedded database has ended"));

  return (request: Request, transfer: ArrayBuffer[] = []): Promise<SqlResult> =>
    new Promise((resolve, reject) => {
      if (dead !== null) {
        reject(dead);
        return;
      }
      sent += 1;
      calls.set(sent, { resolve, reject });
      worker.postMessage({ ...request, id: sent }, transfer);
    });
}

/**
 * PGlite in a worker thread. It has one session, so statements and whole transactions run one after the other.
 * @param options.directory PostgreSQL's own folder; made when it is not there
 * @param options.workerUrl where the built `embedded-worker.js` is; beside this module by default
 * @throws EmbError EMB_STORE_UNAVAILABLE
 */
export async function createEmbeddedDriver(options: { directory: string; workerUrl?: URL }): Promise<SqlDriver> {
  const worker = new Worker(options.workerUrl ?? new URL("./embedded-worker.js", import.meta.url), {
    execArgv: [], // flags of the program, such as --input-type, are not meant for this thread
  });
  const send = createChannel(worker);
  try {
    await send({ kind: "open", directory: options.directory });
  } catch (error) {
    await worker.terminate();
    throw unavailable(
      error instanceof EmbError ? error.message : "the embedded database could not be started",
      error instanceof EmbError && error.code === "EMB_STORE_UNAVAILABLE"
        ? error.hint
        : `Check that ${options.directory} is writable and holds a database of PostgreSQL 18.`,
      error,
    );
  }

  const inOrder = createQueue();
  const session: SqlSession = {
    query: (sql, params = []) => send({ kind: "query", sql, params }),
    exec: (sql) => send({ kind: "exec", sql }),
  };
  const copyIn: SqlTransaction["copyIn"] = async ({ table, columns }, bytes) => {
    const sql = `COPY ${table} (${columns.join(", ")}) FROM '/dev/blob' WITH (FORMAT binary)`;
    await send({ kind: "copy", sql, bytes: bytes.buffer }, [bytes.buffer]);
  };
  let closing: Promise<void> | null = null;

  return {
    capabilities: CAPABILITIES,
    query: (sql, params) => inOrder(() => session.query(sql, params)),
    exec: (sql) => inOrder(() => session.exec(sql)),
    transaction: (work) => inOrder(() => runTransaction({ ...session, copyIn }, work)),
    queryWith: (settings, sql, params) =>
      inOrder(() =>
        runTransaction({ ...session, copyIn }, async (tx) => {
          const local = localSettings(settings);
          const [, result] = await Promise.all([tx.query(local.sql, local.params), tx.query(sql, params)]);
          return result;
        }),
      ),
    maintain: (sql) => inOrder(async () => void (await session.exec(sql))),
    close: () =>
      (closing ??= inOrder(async () => {
        await send({ kind: "close" }).catch(() => undefined);
        await worker.terminate();
      })),
  };
}
