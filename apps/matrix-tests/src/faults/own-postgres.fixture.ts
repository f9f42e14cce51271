import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";

/** Programs of a PostgreSQL server with pgvector; `scripts/with-postgres` names them. */
export const POSTGRES_BIN = process.env["TEST_POSTGRES_BIN"]?.trim() ?? "";

const DISK_MB = 320;
/** Left when the disk is full: less than one page of a table. */
const LEFT_BYTES = 4 * 1024;

/** A server of a test's own, which may be stopped, started and starved. */
export interface OwnPostgres {
  readonly url: string;
  /** Why its disk cannot be filled; empty when it can. */
  readonly noSmallDisk: string;
  /** Stays stopped where the disk is full and it cannot start. */
  restart(mode: "fast" | "immediate"): void;
  /** Starts it when it is not running: a full disk may have ended it. */
  ensureRunning(): void;
  fillDisk(): void;
  freeDisk(): void;
  /** How often a statement has failed for want of space. */
  timesFull(): number;
  /** Its newest lines. */
  log(): string;
  remove(): void;
}

/** @param settings as in postgresql.conf */
export async function startOwnPostgres(settings: Readonly<Record<string, string>> = {}): Promise<OwnPostgres> {
  const owner: Owner = process.getuid?.() === 0 ? userOf("postgres") : {}; // a server refuses to run as root
  const dir = mkdtempSync(join(tmpdir(), "emb-faults-"));
  const noSmallDisk = mount(dir);
  if (owner.uid !== undefined) chownSync(dir, owner.uid, owner.gid ?? owner.uid);
  const data = join(dir, "data");
  const filler = join(dir, "filler");
  const logFile = join(dir, "server.log");
  const program = (name: string, ...args: string[]) =>
    execFileSync(join(POSTGRES_BIN, name), args, { cwd: dir, stdio: "pipe", timeout: 30_000, ...owner });

  const port = await freePort();
  program(
    "initdb",
    "-D",
    data,
    "-U",
    "emb",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--wal-segsize=1",
    "-N",
  );
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    shared_buffers: "32MB",
    max_wal_size: "32MB",
    min_wal_size: "2MB",
    ...settings,
  };
  writeFileSync(
    join(data, "postgresql.conf"),
    Object.entries(all)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(""),
  );
  const start = () => program("pg_ctl", "-D", data, "-w", "-s", "-l", logFile, "start");
  const running = () => spawnSync(join(POSTGRES_BIN, "pg_ctl"), ["-D", data, "status"], owner).status === 0;
  start();
  return {
    url: `postgres://emb@127.0.0.1:${port}/postgres`,
    noSmallDisk,
    restart(mode) {
      if (running()) program("pg_ctl", "-D", data, "-m", mode, "-w", "-s", "stop");
      try {
        start();
      } catch (error) {
        if (!existsSync(filler)) throw error; // on a full disk it may not start: whoever frees the disk starts it
      }
    },
    ensureRunning() {
      if (!running()) start();
    },
    fillDisk() {
      const { bavail, bsize } = statfsSync(dir);
      try {
        writeFileSync(filler, Buffer.alloc(Math.max(bavail * bsize - LEFT_BYTES, 0)));
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error; // the server took the rest
      }
    },
    freeDisk: () => rmSync(filler, { force: true }),
    timesFull: () => readFileSync(logFile, "utf8").split("No space left on device").length - 1,
    log: () => readFileSync(logFile, "utf8").split("\n").slice(-40).join("\n"),
    remove() {
      spawnSync(join(POSTGRES_BIN, "pg_ctl"), ["-D", data, "-m", "immediate", "-w", "-s", "stop"], owner);
      if (noSmallDisk === "") execFileSync("umount", [dir]);
      rmSync(dir, { recursive: true });
    },
  };
}

function mount(dir: string): string {
  const { status, stderr, error } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", dir], {
    encoding: "utf8",
  });
  return status === 0 ? "" : `no small disk can be mounted here: ${error?.message ?? stderr.trim()}`;
}

/** As whom to run; empty: as this user. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

function userOf(name: string): Owner {
  const id = (kind: string) => Number(execFileSync("id", [kind, name], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("expected a TCP address");
  return address.port;
}
