import { createHash, randomBytes } from "node:crypto";
import { open, readdir, rename, unlink, type FileHandle } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EmbError } from "@emb/manifest";

/** The right to be the only process that uses a directory; it ends with `release` or with the process, however that dies. */
export interface DirectoryLock {
  release(): Promise<void>;
}

type Probe = { readonly alive: false } | { readonly alive: true; readonly holding: boolean };

const NAME = /^emb-([0-9]+)-[0-9a-f]+\.lock$/;
const ANSWER_MS = 1_000; // a holder whose thread is busy answers late; it is alive all the same
const ROUNDS = 20;

/**
 * Takes the directory, or says who has it.
 *
 * Every opener listens on a socket of its own in the directory, under a name that is never used twice, and then looks at all others. Of two
 * openers at least one sees the other, so never both go on; a dead socket never comes alive again, so it can be removed at any time without
 * a guard. An opener that sees another one still looking withdraws and tries again after a random pause. Works between containers that
 * share the folder on one machine; a folder that is shared between machines is not protected.
 *
 * @throws EmbError EMB_STORE_LOCKED names the holder's process id; EMB_STORE_UNAVAILABLE, EMB_STORE_FULL
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  for (let round = 1; ; round++) {
    const own = await announce(directory);
    const other = await findOther(directory, own.name).catch(async (error: unknown) => {
      await own.release();
      throw error;
    });
    if (other === null) {
      own.hold();
      return { release: own.release };
    }
    await own.release();
    if (other.holding || round === ROUNDS) throw locked(directory, other.pid);
    await sleep(5 + (randomBytes(1)[0] ?? 0) / 4);
  }
}

async function announce(directory: string) {
  let holding = false;
  const name = `emb-${process.pid}-${randomBytes(6).toString("hex")}.lock`;
  const server = createServer((socket) => {
    socket.on("error", () => undefined); // the asker left
    socket.end(holding ? "holding" : "looking");
  });
  if (process.platform === "win32") {
    await listen(server, pipeName(directory), directory);
    return { name, hold: () => void (holding = true), release: () => close(server) };
  }
  const folder = await openFolder(directory);
  const starting = `${name}.starting`; // renamed when it listens: under its last name a socket is alive or dead for ever
  try {
    await listen(server, join(folder.path, starting), directory);
    await rename(join(directory, starting), join(directory, name));
  } catch (error) {
    await close(server);
    await folder.close();
    throw storeError(directory, error);
  }
  const release = async () => {
    await removeSocket(join(directory, name));
    await close(server);
    await folder.close();
  };
  return { name, hold: () => void (holding = true), release };
}

async function findOther(directory: string, ownName: string): Promise<{ pid: number; holding: boolean } | null> {
  if (process.platform === "win32") return null; // its pipe name is exclusive by itself
  const folder = await openFolder(directory);
  try {
    for (const name of await readdir(directory)) {
      const pid = NAME.exec(name)?.[1];
      if (pid === undefined || name === ownName) continue;
      const probe = await ask(join(folder.path, name));
      if (probe.alive) return { pid: Number(pid), holding: probe.holding };
      await removeSocket(join(directory, name));
    }
    return null;
  } finally {
    await folder.close();
  }
}

/**
 * Not with `rm`: that asks for the file's kind, and once a socket was the answer Node's module loader no longer follows links, so that packages
 * as pnpm lays them out are not found. Source: nodejs/node issue 51142, seen in 20.20.
 */
async function removeSocket(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}

/** A dead holder's socket refuses; a withdrawn one is not there any more. */
const ask = (path: string): Promise<Probe> =>
  new Promise((resolve, reject) => {
    let answer = "";
    const socket = createConnection({ path });
    const done = (probe: Probe) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(probe);
    };
    const timer = setTimeout(() => done({ alive: true, holding: true }), ANSWER_MS);
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => void (answer += chunk));
    socket.on("end", () => done({ alive: true, holding: answer !== "looking" }));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") return done({ alive: false });
      if (error.code === "ECONNRESET" || error.code === "EPIPE") return done({ alive: true, holding: false });
      clearTimeout(timer);
      return reject(error);
    });
  });

/**
 * A short way to the folder: a socket's path holds at most 108 bytes on Linux (104 on macOS). Linux has one through the open folder;
 * elsewhere a path that is too long is refused by the system, and the error says so.
 */
async function openFolder(directory: string): Promise<{ path: string; close(): Promise<void> }> {
  let handle: FileHandle;
  try {
    handle = await open(directory, "r");
  } catch (error) {
    throw storeError(directory, error);
  }
  return { path: process.platform === "linux" ? `/proc/self/fd/${handle.fd}` : directory, close: () => handle.close() };
}

// Windows compares folder names without letter case
const pipeName = (directory: string) =>
  `\\\\.\\pipe\\emb-${createHash("sha256").update(directory.toLowerCase()).digest("hex")}`;

const listen = (server: Server, path: string, directory: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "EADDRINUSE" ? locked(directory, null) : storeError(directory, error)),
    );
    server.listen({ path }, resolve);
  });

const close = (server: Server): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));

function locked(directory: string, pid: number | null): EmbError {
  const own = pid === process.pid;
  const holder = pid === null ? "another process" : own ? `this process (pid ${pid})` : `the process with pid ${pid}`;
  return new EmbError(
    "EMB_STORE_LOCKED",
    `${directory} is held by ${holder}; an embedded database can be opened once at a time`,
    {
      hint: own
        ? "Close the store that has it first, or share that one."
        : "Stop that process, or run query and worker in one process with `emb dev`, or set DATABASE_URL to use a PostgreSQL server.",
      context: { directory, ...(pid === null ? {} : { pid }) },
    },
  );
}

/** An error of the file system, as an EmbError. */
export function storeError(directory: string, error: unknown): EmbError {
  if (error instanceof EmbError) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new EmbError("EMB_STORE_FULL", `no space left for the embedded database in ${directory}`, {
      hint: "Free disk space, or set EMB_DATA_DIR to a folder on another disk.",
      context: { directory },
      cause: error,
    });
  }
  return new EmbError(
    "EMB_STORE_UNAVAILABLE",
    `the folder ${directory} cannot be used for the embedded database (${code || String(error)})`,
    {
      hint: "Make it writable, or set EMB_DATA_DIR to a writable folder on a local disk.",
      context: { directory },
      cause: error,
    },
  );
}
