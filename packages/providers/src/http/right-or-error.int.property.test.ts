import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isEmbError } from "@emb/manifest";
import {
  closeAndCheck,
  expectNoKey,
  expectRight,
  IMPATIENT,
  live,
  openHosted,
  smallProfile,
  textsOf,
  virtualWaiting,
} from "../../test/hosted.js";
import { startLoopback, type FaultInput, type Loopback, type What } from "../../test/loopback.js";

const statuses = [429, 429, 500, 503, 400, 413].map((status): What => ({ kind: "status", status }));
const unsound = [
  ...(["drop", "double", "extra"] as const).map((how): What => ({ kind: "items", how })),
  ...(["short", "long", "nan", "overflow", "null", "zero"] as const).map((how): What => ({ kind: "vector", how })),
];
const transient: What[] = [
  ...statuses,
  { kind: "reset", where: "headers" },
  { kind: "reset", where: "body" },
  { kind: "gzip" },
  { kind: "none" },
  { kind: "style", style: { whitespace: true, reverseKeys: true, extraFields: true, exponents: true }, chunkBytes: 31 },
];
/** What becomes of the requests, in the order in which they come; the rest is answered. Most schedules can be got through. */
const schedule = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...transient) },
    { weight: 1, arbitrary: fc.constantFrom(...unsound) },
  ),
  { maxLength: 12 },
);

let loopback: Loopback;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterAll(() => loopback.close());

describe.each(["openai", "openai-compatible", "cohere", "tei", "ollama"] as const)("%s", (protocol) => {
  it("gives one right vector for each text, in order, or an error", async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 1, max: 30 }),
          maxBatchItems: fc.integer({ min: 1, max: 12 }),
          maxBatchTokens: fc.option(fc.integer({ min: 1, max: 200 })),
          maxConcurrency: fc.integer({ min: 1, max: 6 }),
          whats: schedule,
          bad: fc.option(fc.nat(29), { freq: 4 }),
        }),
        async ({ count, maxBatchItems, maxBatchTokens, maxConcurrency, whats, bad }) => {
          const texts = textsOf(count).map((text, i) => (i === bad ? `bad ${text}` : text));
          const profile = await smallProfile(protocol, { limits: { maxBatchItems, maxBatchTokens } });
          const hosted = await openHosted(loopback, protocol, profile, {
            tuning: { ...IMPATIENT, ...virtualWaiting(), maxConcurrency },
          });
          const faults: FaultInput[] = whats.map((what) => ({ what, times: 1 }));
          const refusal: FaultInput = { what: { kind: "status", status: 400 }, when: { marker: "bad" } };
          await hosted.service.play([refusal, ...faults]);
          try {
            expectRight(await hosted.provider.embedDocuments(texts, live), texts, hosted);
            expect(bad === null || bad >= count).toBe(true);
            answered++;
          } catch (error) {
            if (!isEmbError(error)) throw error;
            expectNoKey(error);
            if (error.code === "EMB_PROVIDER_REJECTED" && bad !== null && bad < count && !whats.some(isRefusal))
              expect(error.context["index"]).toBe(bad);
          }
          expect((await hosted.service.report()).requests.filter(({ again }) => again)).toEqual([]);
          await closeAndCheck(hosted);
        },
      ),
      { numRuns: 40 },
    );
    expect(answered).toBeGreaterThan(5); // the property is not kept by failing always
  }, 60_000);
});

const isRefusal = (what: What): boolean => what.kind === "status" && (what.status === 400 || what.status === 413);
