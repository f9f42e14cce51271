import { describe, expect, it } from "vitest";
import { AdaptiveLimit } from "./adaptive-limit.js";

/**
 * A service that works on `workers` requests at once, each for `workMs`, `latencyMs` away; the rest wait inside it. The
 * client always has more to send. Returns the limit after each answer.
 */
function simulate(
  limit: AdaptiveLimit,
  service: { latencyMs: number; workMs: number; workers: number },
  answers: number,
): number[] {
  const freeAtMs = Array.from({ length: service.workers }, () => 0);
  const underWay: { sentMs: number; doneMs: number }[] = [];
  const limits: number[] = [];
  let nowMs = 0;
  while (limits.length < answers) {
    while (underWay.length < limit.limit) {
      const worker = freeAtMs.indexOf(Math.min(...freeAtMs));
      freeAtMs[worker] = Math.max(nowMs + service.latencyMs / 2, freeAtMs[worker]!) + service.workMs;
      underWay.push({ sentMs: nowMs, doneMs: freeAtMs[worker] + service.latencyMs / 2 });
    }
    underWay.sort((a, b) => a.doneMs - b.doneMs);
    const { sentMs, doneMs } = underWay[0]!;
    nowMs = doneMs;
    limit.answered(nowMs - sentMs, underWay.length);
    underWay.shift();
    limits.push(limit.limit);
  }
  return limits;
}

describe("AdaptiveLimit", () => {
  it("doubles with each round trip to a service that is far away and keeps up", () => {
    const limits = simulate(new AdaptiveLimit(64), { latencyMs: 50, workMs: 3, workers: 100 }, 64);
    expect([limits[7], limits[23], limits[55]]).toEqual([16, 32, 64]);
  });

  it("ends near what a service far away can work on", () => {
    const limits = simulate(new AdaptiveLimit(64), { latencyMs: 50, workMs: 3, workers: 1 }, 2_000);
    const last = limits.slice(-500);
    expect(Math.min(...last)).toBeGreaterThanOrEqual(18); // 50 / 3 + 1 keep it busy
    expect(Math.max(...last)).toBeLessThanOrEqual(30);
  });

  it("stays small where more would only wait", () => {
    const limits = simulate(new AdaptiveLimit(64), { latencyMs: 0, workMs: 3, workers: 1 }, 2_000);
    expect(limits.at(-1)).toBeLessThanOrEqual(16);
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(8);
  });

  it("does not grow while it is not used", () => {
    const limit = new AdaptiveLimit(64);
    for (let i = 0; i < 100; i++) limit.answered(10, 1);
    expect(limit.limit).toBe(8);
  });

  it("halves with each window of refusals, to 1 and no further, and climbs back", () => {
    const limit = new AdaptiveLimit(64);
    const falling = Array.from({ length: 20 }, () => {
      limit.refused();
      return limit.limit;
    });
    expect(falling.slice(0, 16)).toEqual([8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 2, 2, 1, 1, 1]);
    const climbing = simulate(limit, { latencyMs: 50, workMs: 3, workers: 100 }, 300);
    expect(climbing.at(-1)).toBeGreaterThanOrEqual(20);
    expect(climbing.every((value, i) => i === 0 || value >= climbing[i - 1]!)).toBe(true);
  });

  it("loses little to a rare refusal", () => {
    const limit = new AdaptiveLimit(64);
    let lowest = 64;
    for (let i = 1; i <= 2_000; i++) {
      if (i % 10 === 0) limit.refused();
      else limit.answered(10, limit.limit);
      lowest = Math.min(lowest, limit.limit);
    }
    expect(lowest).toBeGreaterThanOrEqual(7);
  });

  it("keeps to the bound it is given", () => {
    expect(new AdaptiveLimit(3).limit).toBe(3);
    const limit = new AdaptiveLimit(3);
    for (let i = 0; i < 50; i++) limit.answered(10, 3);
    expect(limit.limit).toBe(3);
  });
});
