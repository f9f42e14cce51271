import { describe, expect, it } from "vitest";
import { UseLiteThread } from "./use-lite-thread.js";

/** A worker that speaks the protocol and does what its texts say. */
const WORKER = `
import { parentPort } from "node:worker_threads";
console.log("noise on stdout");
parentPort.postMessage({ ready: true });
let batches = 0;
parentPort.on("message", ({ id, texts }) => {
  batches++;
  if (texts[0] === "crash") throw new Error("out of memory");
  if (texts[0] === "exit") process.exit(3);
  if (texts[0] === "fail") parentPort.postMessage({ id, problem: "bad batch" });
  if (texts[0] === "hang") return;
  parentPort.postMessage({ id, vectors: Float32Array.of(batches) });
});`;
const urlOf = (source: string) => new URL(`data:text/javascript,${encodeURIComponent(source)}`);
const live = new AbortController().signal;

async function withThread(use: (thread: UseLiteThread) => Promise<void>, source = WORKER): Promise<void> {
  const thread = new UseLiteThread(urlOf(source));
  try {
    await use(thread);
  } finally {
    await thread.close();
  }
}

describe("the thread of use-lite", () => {
  it.each(["crash", "exit"])("rejects every pending call on %s, and the next call starts another", async (how) => {
    await withThread(async (thread) => {
      const hanging = thread.embed(["hang"], live);
      const crashing = thread.embed([how], live);
      const failed = { code: "EMB_PROVIDER_UNAVAILABLE", retryable: true };
      await Promise.all([
        expect(hanging).rejects.toMatchObject(failed),
        expect(crashing).rejects.toMatchObject(failed),
      ]);
      expect(await thread.embed(["count"], live)).toEqual(Float32Array.of(1)); // the first batch of a new thread
    });
  });

  it("rejects one call that fails and keeps the thread", async () => {
    await withThread(async (thread) => {
      await expect(thread.embed(["fail"], live)).rejects.toMatchObject({
        code: "EMB_PROVIDER_UNAVAILABLE",
        message: "The thread of the use-lite provider failed: bad batch.",
      });
      expect(await thread.embed(["count"], live)).toEqual(Float32Array.of(2));
    });
  });

  it("ends an aborted call at once with the reason, while the thread works on", async () => {
    await withThread(async (thread) => {
      const controller = new AbortController();
      const call = thread.embed(["hang"], controller.signal);
      controller.abort("enough");
      await expect(call).rejects.toBe("enough");
      await expect(thread.embed(["count"], controller.signal)).rejects.toBe("enough");
      expect(await thread.embed(["count"], live)).toEqual(Float32Array.of(2));
    });
  });

  it("names the package that is missing", async () => {
    const missing = `
      import { parentPort } from "node:worker_threads";
      parentPort.postMessage({ missing: "@energetic-ai/core", problem: "Cannot find package" });
      parentPort.on("message", () => {});`;
    await withThread(async (thread) => {
      const refused = { code: "EMB_MODEL_UNAVAILABLE", context: { package: "@energetic-ai/core" } };
      await expect(thread.start()).rejects.toMatchObject(refused);
      await expect(thread.embed(["a"], live)).rejects.toMatchObject(refused);
    }, missing);
  });

  it("closes without having been used", async () => {
    await withThread(async () => {});
  });
});
