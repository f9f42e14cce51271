import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closeAndCheck, failureOf, live, openHosted, smallProfile } from "../../test/hosted.js";
import { startLoopback, type Loopback, type What } from "../../test/loopback.js";

const BODY_BYTES = 200_000_000;
/** The client may take some 70 kB here; the rest is for what V8 has not collected yet. Measured: 1 to 2 MB. */
const MAX_GROWTH_BYTES = 12_000_000;

let loopback: Loopback;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterAll(() => loopback.close());

/** Vitest runs each test file in a process of its own, so this is the client's memory and no one else's. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage(); // external includes array buffers
  return heapUsed + external;
}

/** @returns how far memory rose above where it was, at most, while the work was under way */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = usedBytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, usedBytes());
  }, 1);
  await work();
  clearInterval(watch);
  return Math.max(most, usedBytes()) - before;
}

describe("memory", () => {
  it.each<[string, What]>([
    ["200 MB, announced", { kind: "huge", bytes: BODY_BYTES, contentLength: true }],
    ["200 MB without end in sight", { kind: "huge", bytes: BODY_BYTES }],
    ["a small gzip body that unpacks to 50 MB", { kind: "gzip", bombBytes: BODY_BYTES / 4 }],
  ])(
    "stays where it is when the answer is %s",
    async (_, what) => {
      const hosted = await openHosted(loopback, "openai", await smallProfile("openai"));
      await hosted.provider.embedDocuments(["warm up"], live);
      await hosted.service.play([{ what }]);
      const growth = await growthDuring(async () => {
        expect(await failureOf(hosted.provider.embedDocuments(["a"], live))).toMatchObject({
          code: "EMB_PROVIDER_RESPONSE_INVALID",
        });
        await sleep(200); // what is still on its way arrives
      });
      expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
      const { requests } = await hosted.service.report();
      expect(Math.max(...requests.map(({ bytesSent }) => bytesSent))).toBeLessThan(BODY_BYTES / 4);
      await closeAndCheck(hosted);
    },
    30_000,
  );
});
