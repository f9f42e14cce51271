/**
 * Entry of the worker thread that runs PGlite: an index build blocks its thread for seconds. Started by embedded-driver.ts; has no exports.
 * An app that bundles @emb/store lists a file with `import "@emb/store/embedded-worker"` as the entry `embedded-worker`.
 */
import { parentPort } from "node:worker_threads";
import type { PGlite } from "@electric-sql/pglite";
import type { WorkerReply, WorkerRequest } from "./embedded-messages.js";
import type { SqlRow, SqlValue } from "./sql-driver.js";

// Source: pg_type.dat, object ids of built-in types; PGlite's own handlers for these two are slow or lossy.
const BYTEA = 17;
const INT8 = 20;

const toHex = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;

/** A buffer of its own: a pooled one would be copied to the other thread whole. */
function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length - 2) / 2);
  Buffer.from(bytes.buffer).write(text.slice(2), "hex");
  return bytes;
}

class PackageMissing extends Error {
  constructor(
    readonly packageName: string,
    cause: unknown,
  ) {
    super(`the package ${packageName} is not installed`, { cause });
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";

async function load<T>(packageName: string, importing: () => Promise<T>): Promise<T> {
  try {
    return await importing();
  } catch (error) {
    if (isMissing(error)) throw new PackageMissing(packageName, error);
    throw error;
  }
}

async function open(directory: string): Promise<PGlite> {
  const { PGlite } = await load("@electric-sql/pglite", () => import("@electric-sql/pglite"));
  const { vector } = await load("@electric-sql/pglite-pgvector", () => import("@electric-sql/pglite-pgvector"));
  return PGlite.create(directory, {
    relaxedDurability: false,
    extensions: { vector },
    parsers: { [BYTEA]: fromHex, [INT8]: BigInt },
    serializers: { [BYTEA]: toHex },
  });
}

/** PGlite asks only for `arrayBuffer`; a real Blob would copy the bytes twice. */
class OwnedBytes extends Blob {
  readonly #bytes: ArrayBuffer;
  constructor(bytes: ArrayBuffer) {
    super([]);
    this.#bytes = bytes;
  }
  override arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.resolve(this.#bytes);
  }
}

interface Answer {
  readonly rows: readonly SqlRow[];
  readonly affected: number;
}
const NOTHING: Answer = { rows: [], affected: 0 };

function createSession() {
  let database: PGlite | undefined;
  const opened = (): PGlite => {
    if (database === undefined) throw new Error("the database is not open");
    return database;
  };

  // oxlint-disable-next-line consistent-return -- every kind returns; the compiler proves it
  return async (request: WorkerRequest): Promise<Answer> => {
    switch (request.kind) {
      case "open":
        database = await open(request.directory);
        return NOTHING;
      case "query": {
        const { rows, affectedRows } = await opened().query<SqlRow>(request.sql, mutable(request.params));
        return { rows, affected: affectedRows ?? 0 };
      }
      case "exec": {
        const last = (await opened().exec(request.sql)).at(-1);
        return { rows: last?.rows ?? [], affected: last?.affectedRows ?? 0 };
      }
      case "copy": {
        // the simple protocol: two calls into the database instead of six
        const results = await opened().exec(request.sql, { blob: new OwnedBytes(request.bytes) });
        return { rows: [], affected: results[0]?.affectedRows ?? 0 };
      }
      case "close":
        await database?.close();
        database = undefined;
        return NOTHING;
    }
  };
}

const mutable = (params: readonly SqlValue[]): SqlValue[] => [...params];

function refusalOf(id: number, error: unknown): WorkerReply {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PackageMissing) return { id, kind: "unavailable", message, missing: error.packageName };
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { id, kind: "refused", sqlState: code, message };
}

const port = parentPort;
if (port === null) throw new Error("embedded-worker is an entry for a worker thread");
const answer = createSession();
async function respond(request: WorkerRequest, reply: (message: WorkerReply) => void): Promise<void> {
  try {
    reply({ id: request.id, kind: "done", ...(await answer(request)) });
  } catch (error) {
    reply(refusalOf(request.id, error));
  }
}

let last: Promise<void> = Promise.resolve();
port.on("message", (request: WorkerRequest) => {
  last = last.then(() => respond(request, (message) => port.postMessage(message)));
});
