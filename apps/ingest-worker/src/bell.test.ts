import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createBell } from "./bell.js";

const never = new AbortController().signal;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How long a wait takes, in steps of 10 ms. */
async function waited(wait: Promise<void>): Promise<number> {
  let over = false;
  void wait.then(() => (over = true));
  await vi.advanceTimersByTimeAsync(0);
  for (let ms = 0; ; ms += 10) {
    if (over) return ms;
    await vi.advanceTimersByTimeAsync(10);
  }
}

it("waits its time when nobody rings", async () => expect(await waited(createBell().wait(100, never))).toBe(100));

it("is woken by a ring", async () => {
  const bell = createBell();
  setTimeout(() => bell.ring(), 30);
  expect(await waited(bell.wait(100, never))).toBe(30);
});

it("keeps a ring for who comes later, once", async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  expect(await waited(bell.wait(100, never))).toBe(0);
  expect(await waited(bell.wait(100, never))).toBe(100);
});

it("ends when told to stop, also before it began", async () => {
  const bell = createBell();
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  expect(await waited(bell.wait(100, stop.signal))).toBe(50);
  expect(await waited(bell.wait(100, stop.signal))).toBe(0);
});
