import { EventEmitter } from "node:events";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createStopOrder } from "./stop-order.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ordered = (stopMs: number) => {
  const process = new EventEmitter();
  const order = createStopOrder(process);
  order.limit(stopMs);
  return { process, order, seen: () => [order.stopping.aborted, order.signal.aborted] };
};

it("stops in two degrees, with the limit between them", async () => {
  const { process, order, seen } = ordered(500);
  expect(seen()).toEqual([false, false]);
  process.emit("SIGTERM", "SIGTERM");
  expect(seen()).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(499);
  expect(seen()).toEqual([true, false]);
  await vi.advanceTimersByTimeAsync(1);
  expect(seen()).toEqual([true, true]);
  expect(order.stopping.reason).toEqual(new Error("stopped by SIGTERM"));
  expect(order.signal.reason).toEqual(new Error("not done 500 ms after SIGTERM"));
});

it("ends at once when told a second time, by either signal", () => {
  const { process, order, seen } = ordered(500);
  process.emit("SIGTERM", "SIGTERM");
  process.emit("SIGINT", "SIGINT");
  expect(seen()).toEqual([true, true]);
  expect(order.signal.reason).toEqual(new Error("stopped at once by a second SIGINT"));
});
