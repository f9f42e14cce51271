import { describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import type { SearchAnswer } from "@emb/search";
import type { ShadowRead } from "@emb/store";
import { createShadowSampler, type ShadowSamplerSetup } from "./shadow-sampler.js";

type End = Parameters<ShadowSamplerSetup["onEnded"]>[0];

const answerOf = (profile: string, found: readonly [string, number][]): SearchAnswer => ({
  profile,
  namespace: `docs_${profile}`,
  seal: "equal",
  tokens: 3,
  hits: found.map(([documentId, score], ordinal) => ({
    documentId,
    ordinal,
    text: "",
    headingPath: "",
    score,
    provenance: { contentHash: "", documentVersion: 1n, runId: "", embeddedAt: new Date(0) },
  })),
});
const SERVED = answerOf("one", [
  ["a", 0.9],
  ["b", 0.8],
  ["a", 0.7], // another chunk of it
]);
const FOUND = answerOf("two", [
  ["b", 0.5],
  ["c", 0.4],
]);

/** A sampler over a candidate that answers when a test says so. */
function open(change: Partial<ShadowSamplerSetup> = {}) {
  const calls: { resolve: (answer: SearchAnswer) => void; reject: (error: Error) => void; signal: AbortSignal }[] = [];
  const reads: ShadowRead[] = [];
  const ends: End[] = [];
  const failures: unknown[] = [];
  let clockMs = 0;
  const sampler = createShadowSampler({
    base: "docs",
    candidate: { profile: "two", namespace: "docs_two" },
    samplePct: 100,
    maxInFlight: 2,
    timeoutMs: 60_000,
    random: () => 0.999,
    nowMs: () => (clockMs += 7),
    ask: (_request, { signal }) =>
      new Promise((resolve, reject) => {
        calls.push({ resolve, reject, signal });
      }),
    record: async (read) => {
      reads.push(read);
      return true;
    },
    onEnded: (end) => void ends.push(end),
    onFailure: (error) => void failures.push(error),
    ...change,
  });
  const offer = (text: string) => sampler.offer({ text, topK: 3, answer: SERVED, latencyMs: 12 });
  /** Until so many queries of all offered have ended. */
  const ended = (count: number) => expect.poll(() => ends.length, { interval: 1 }).toBe(count);
  const asked = (count: number) => expect.poll(() => calls.length, { interval: 1 }).toBe(count);
  return { sampler, offer, ended, asked, calls, reads, ends, failures };
}

describe("a candidate behind the answers", () => {
  it("is asked after the answer has left, and both lists are kept, each document once", async () => {
    const { offer, asked, ended, calls, reads, ends } = open();
    offer("when?");
    expect(calls).toEqual([]); // nothing of it is done before offer returns
    await asked(1);
    calls[0]!.resolve(FOUND);
    await ended(1);
    expect(reads).toEqual([
      {
        base: "docs",
        query: "when?",
        k: 3,
        baseline: {
          profile: "one",
          namespace: "docs_one",
          documents: [
            { id: "a", score: 0.9 },
            { id: "b", score: 0.8 },
          ],
          latencyMs: 12,
        },
        candidate: {
          profile: "two",
          namespace: "docs_two",
          documents: [
            { id: "b", score: 0.5 },
            { id: "c", score: 0.4 },
          ],
          latencyMs: 7,
        },
        outcome: "answered",
      },
    ]);
    expect(ends).toEqual([{ outcome: "recorded", durationMs: 7, overlap: 0.5 }]);
  });

  it.each([
    [0, 0, 0],
    [10, 0.0999, 1],
    [10, 0.1, 0],
    [100, 0.9999, 1],
  ])("is asked at %d percent when the dice show %d: %d times", async (samplePct, shown, times) => {
    const { offer, calls } = open({ samplePct, random: () => shown });
    offer("when?");
    await new Promise(setImmediate);
    expect(calls).toHaveLength(times);
  });

  it("is asked so many at once and no more: what comes beside is dropped, and nothing waits", async () => {
    const { offer, asked, ended, calls, ends } = open();
    for (const text of ["a", "b", "c", "d"]) offer(text);
    const dropped = { outcome: "dropped", durationMs: null, overlap: null };
    expect(ends).toEqual([dropped, dropped]);
    await asked(2);
    calls[0]!.resolve(FOUND);
    await ended(3);
    await new Promise(setImmediate); // the place is free
    offer("e");
    await asked(3);
    expect(ends.map(({ outcome }) => outcome)).toEqual(["dropped", "dropped", "recorded"]);
  });

  it("is given up after its time, and holds its place until it has really ended", async () => {
    const { offer, asked, ended, calls, reads, ends } = open({ maxInFlight: 1, timeoutMs: 1 });
    offer("slow");
    await ended(1);
    expect(calls[0]!.signal.aborted).toBe(true);
    expect(ends).toEqual([{ outcome: "timeout", durationMs: 7, overlap: null }]);
    expect(reads.map(({ outcome, candidate }) => [outcome, candidate.documents])).toEqual([["timeout", []]]);
    offer("beside");
    expect(ends.at(-1)?.outcome).toBe("dropped");
    calls[0]!.reject(new Error("too late"));
    await new Promise(setImmediate);
    offer("after");
    await asked(2);
  });

  it("may fail: that is kept as a failure, and its error goes nowhere else", async () => {
    const { offer, asked, ended, calls, reads, ends, failures } = open();
    offer("when?");
    await asked(1);
    const away = new EmbError("EMB_PROVIDER_UNAVAILABLE", "away", { hint: "-" });
    calls[0]!.reject(away);
    await ended(1);
    expect(ends).toEqual([{ outcome: "failed", durationMs: 7, overlap: null }]);
    expect(reads.map(({ outcome }) => outcome)).toEqual(["failed"]);
    expect(failures).toEqual([away]);
  });

  it.each([
    ["when a document was deleted meanwhile", async () => false, 0],
    ["when the database is away", () => Promise.reject(new Error("gone")), 1],
  ])("is counted as failed, with what it found, %s", async (_, record, told) => {
    const { offer, asked, ended, calls, ends, failures } = open({ record });
    offer("when?");
    await asked(1);
    calls[0]!.resolve(FOUND);
    await ended(1);
    expect(ends).toEqual([{ outcome: "failed", durationMs: 7, overlap: 0.5 }]);
    expect(failures).toHaveLength(told);
  });

  it("is waited for at the end, and nothing new is taken", async () => {
    const { sampler, offer, asked, calls, ends } = open();
    offer("when?");
    await asked(1);
    const drained = sampler.drain(60_000);
    offer("too late");
    calls[0]!.resolve(FOUND);
    await drained;
    expect([calls.length, ends.map(({ outcome }) => outcome)]).toEqual([1, ["recorded"]]);
  });

  it("is not waited for beyond the limit: then nothing of it is kept", async () => {
    const { sampler, offer, asked, ended, calls, reads, ends } = open();
    offer("when?");
    await asked(1);
    await sampler.drain(1);
    expect(calls[0]!.signal.aborted).toBe(true);
    calls[0]!.resolve(FOUND);
    await ended(1);
    expect([ends, reads]).toEqual([[{ outcome: "dropped", durationMs: null, overlap: null }], []]);
  });
});
