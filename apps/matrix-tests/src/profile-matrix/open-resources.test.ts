import { once } from "node:events";
import { createServer } from "node:net";
import { Worker } from "node:worker_threads";
import { afterEach, expect, it } from "vitest";
import { watchOpenResources } from "./open-resources.js";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of undo.splice(0)) await close();
});
const startThread = async () => {
  const worker = new Worker("setInterval(() => {}, 1000)", { eval: true });
  undo.push(() => worker.terminate());
  await once(worker, "online");
  return worker;
};

it("names a thread that was left, even one that does not keep the process alive", { timeout: 20_000 }, async () => {
  const resources = watchOpenResources();
  const worker = await startThread();
  worker.unref();
  expect(await resources.left()).toEqual([`thread ${worker.threadId}`]);
});

it("names a listening server that was left", { timeout: 20_000 }, async () => {
  const resources = watchOpenResources();
  const server = createServer().listen(0, "127.0.0.1");
  undo.push(() => server.close());
  await once(server, "listening");
  expect(await resources.left()).toEqual(["TCPServerWrap"]);
});

it("waits for what is closing, and names nothing that was there before", { timeout: 20_000 }, async () => {
  await startThread();
  const resources = watchOpenResources();
  const worker = await startThread();
  setTimeout(() => void worker.terminate(), 200);
  expect(await resources.left()).toEqual([]);
});
