import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.js";
import { Permits } from "./permits.js";
import { readRetryAfter } from "./retry-after.js";

describe("readRetryAfter", () => {
  const now = Date.UTC(2026, 10, 24, 12, 0, 0);
  it.each([
    ["0", 0],
    ["7", 7_000],
    [" 7 ", 7_000],
    ["1.5", 1_500],
    ["Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
    ["Tue, 24 Nov 2026 11:00:00 GMT", 0],
    ["soon", null],
    ["-3", null],
    ["1e9", null],
    ["99999999999999999999", null],
    ["2026-11-24", null],
    ["", null],
    [undefined, null],
  ])("reads %j as %j ms", (value, ms) => {
    expect(readRetryAfter(value, now)).toBe(ms);
  });
});

describe("backoffMs", () => {
  const settings = { firstDelayMs: 100, maxDelayMs: 1_000 };
  it.each([
    [0, 0.5, null, 50],
    [1, 0.5, null, 100],
    [3, 0.5, null, 400],
    [9, 0.5, null, 500],
    [9, 0, null, 0],
    [0, 0.5, 2_000, 2_050],
    [0, 0.5, 0, 0],
    [1, 0.5, 0, 100],
    [5, 0.5, 0, 500],
    [5, 0.5, 60, 500],
  ])("attempt %i, random %d, Retry-After %j: %d ms", (attempt, random, retryAfterMs, ms) => {
    expect(backoffMs(attempt, random, settings, retryAfterMs)).toBe(ms);
  });
});

describe("Permits", () => {
  const never = new AbortController().signal;
  const takeAll = (permits: Permits, names: string[], order: string[]) =>
    names.map((name) => permits.take(never).then(() => order.push(name)));

  it("lets as many in as the limit says, then first come, first served", async () => {
    const permits = new Permits(() => 2);
    const order: string[] = [];
    const taken = takeAll(permits, ["a", "b", "c", "d"], order);
    await Promise.all(taken.slice(0, 2));
    expect(order).toEqual(["a", "b"]);
    permits.giveBack();
    permits.giveBack();
    await Promise.all(taken);
    expect([order, permits.taken]).toEqual([["a", "b", "c", "d"], 2]);
  });

  it("follows a limit that changes", async () => {
    let limit = 1;
    const permits = new Permits(() => limit);
    const order: string[] = [];
    const taken = takeAll(permits, ["a", "b", "c", "d"], order);
    await taken[0];
    limit = 3;
    permits.giveBack();
    await Promise.all(taken);
    expect([order, permits.taken]).toEqual([["a", "b", "c", "d"], 3]);
    limit = 1;
    for (let i = 0; i < 2; i++) permits.giveBack();
    const late = takeAll(permits, ["e"], order);
    await Promise.resolve();
    expect(order).not.toContain("e");
    permits.giveBack();
    await Promise.all(late);
  });

  it("keeps no place for one that was aborted while waiting", async () => {
    const permits = new Permits(() => 1);
    await permits.take(never);
    const stop = new AbortController();
    const waiting = permits.take(stop.signal);
    stop.abort("stopped");
    await expect(waiting).rejects.toBe("stopped");
    await expect(permits.take(stop.signal)).rejects.toBe("stopped");
    permits.giveBack();
    await permits.take(never);
    expect(permits.taken).toBe(1);
  });
});
