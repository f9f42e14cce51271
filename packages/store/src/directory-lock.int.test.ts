import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isEmbError } from "@emb/manifest";
import { afterEach, beforeEach, expect, it } from "vitest";
import { distUrl } from "../test/database-copy.js";
import { lockDirectory } from "./directory-lock.js";

const HOLDER = `
  import { lockDirectory } from ${JSON.stringify(distUrl)};
  try {
    await lockDirectory(process.argv[1]);
    process.stdout.write("held\\n");
    setInterval(() => undefined, 1000);
  } catch (error) {
    process.stdout.write(error.code + " " + error.context.pid + "\\n");
  }`;

let directory: string;
let children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "emb-lock-"));
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(directory, { recursive: true });
});

/** A process that tries to hold `path`, and what it says. */
async function hold(path: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", HOLDER, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const said = await new Promise<string>((resolve) =>
    child.stdout.once("data", (text: Buffer) => resolve(String(text))),
  );
  return { child, said: said.trim() };
}

async function die(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

const refusal = (path: string) =>
  lockDirectory(path).then(
    () => null,
    (error: unknown) => error,
  );
const sockets = async (path: string) => (await readdir(path)).filter((name) => name.endsWith(".lock"));

it("a second process is told the holder's pid and the ways on", async () => {
  const { child, said } = await hold(directory);
  expect(said).toBe("held");
  const error = await refusal(directory);
  expect(
    isEmbError(error, "EMB_STORE_LOCKED") && [
      error.context["pid"],
      error.message.includes(`pid ${child.pid}`),
      error.hint,
    ],
  ).toEqual([
    child.pid,
    true,
    "Stop that process, or run query and worker in one process with `emb dev`, or set DATABASE_URL to use a PostgreSQL server.",
  ]);
});

it("the same process cannot open it twice, and can after the release", async () => {
  const lock = await lockDirectory(directory);
  const error = await refusal(directory);
  expect(isEmbError(error, "EMB_STORE_LOCKED") && error.context["pid"]).toBe(process.pid);
  await lock.release();
  await (await lockDirectory(directory)).release();
  expect(await readdir(directory)).toEqual([]);
});

it("a killed holder leaves nothing in the way", async () => {
  const { child } = await hold(directory);
  await die(child);
  expect(await sockets(directory)).toHaveLength(1);
  const lock = await lockDirectory(directory);
  expect(await sockets(directory)).toHaveLength(1);
  await lock.release();
});

it("a stopped holder still holds", async () => {
  const { child } = await hold(directory);
  child.kill("SIGSTOP");
  const error = await refusal(directory);
  expect(isEmbError(error, "EMB_STORE_LOCKED") && error.context["pid"]).toBe(child.pid);
});

it("of many that race for a dead holder's directory one wins and is named to the others", async () => {
  await die((await hold(directory)).child);
  const racers = await Promise.all(Array.from({ length: 6 }, () => hold(directory)));
  const winners = racers.filter(({ said }) => said === "held");
  expect(winners).toHaveLength(1);
  const losers = racers.filter(({ said }) => said !== "held").map(({ said }) => said);
  expect(new Set(losers)).toEqual(new Set([`EMB_STORE_LOCKED ${winners[0]!.child.pid}`]));
});

it("openers that come at once inside one process never both win", async () => {
  for (let round = 0; round < 10; round++) {
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => lockDirectory(directory)));
    const won = results.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const { value } of won) await value.release();
  }
});

it("a path longer than a socket address works", async () => {
  const deep = join(directory, "a".repeat(100), "b".repeat(100));
  await mkdir(deep, { recursive: true });
  const { child } = await hold(deep);
  const error = await refusal(deep);
  expect(isEmbError(error, "EMB_STORE_LOCKED") && error.context["pid"]).toBe(child.pid);
});

it("a file that only looks like a lock is no holder", async () => {
  await writeFile(join(directory, "emb-1-abc.lock"), "");
  await (await lockDirectory(directory)).release();
});

it("a folder that is not there is unavailable", async () => {
  expect(isEmbError(await refusal(join(directory, "none")), "EMB_STORE_UNAVAILABLE")).toBe(true);
});

it("leaves Node's module loader following links after the removal of a socket", async () => {
  const root = await realpath(directory);
  await mkdir(join(root, "node_modules"));
  for (const name of ["first", "second"]) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, "index.js"), "");
    await symlink(join(root, name), join(root, "node_modules", name));
  }
  const { resolve } = createRequire(join(root, "main.js"));
  expect(resolve("first")).toBe(join(root, "first/index.js")); // the loader knows the folders by now
  await (await lockDirectory(root)).release();
  expect(resolve("second")).toBe(join(root, "second/index.js"));
});
