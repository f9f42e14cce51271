import { beforeEach, expect, it } from "vitest";
import { CircuitBreaker } from "./circuit-breaker.js";

let nowMs = 0;
let states: string[] = [];
const breakerOf = () =>
  new CircuitBreaker(
    { failures: 3, openMs: 100, maxOpenMs: 300 },
    () => nowMs,
    (state) => states.push(state),
  );
const fail = (breaker: CircuitBreaker, times: number) => {
  for (let i = 0; i < times; i++) breaker.failed();
};
beforeEach(() => {
  nowMs = 0;
  states = [];
});

it("opens after so many failures in a row", () => {
  const breaker = breakerOf();
  fail(breaker, 2);
  breaker.succeeded();
  fail(breaker, 2);
  expect([breaker.admit(), states]).toEqual([0, []]);
  breaker.failed();
  expect([breaker.admit(), states]).toEqual([100, ["open"]]);
});

it("lets one probe through once its time is over, and closes when that succeeds", () => {
  const breaker = breakerOf();
  fail(breaker, 3);
  nowMs = 99;
  expect(breaker.admit()).toBe(1);
  nowMs = 100;
  expect([breaker.admit(), breaker.admit()]).toEqual([0, 100]);
  breaker.succeeded();
  expect([breaker.admit(), states]).toEqual([0, ["open", "half_open", "closed"]]);
});

it("stays open twice as long after each failed probe, up to its bound, and forgets that once closed", () => {
  const breaker = breakerOf();
  fail(breaker, 3);
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    waits.push(breaker.admit());
    nowMs += waits.at(-1)!;
    expect(breaker.admit()).toBe(0);
    breaker.failed();
  }
  expect(waits).toEqual([100, 200, 300, 300]);
  nowMs += 300;
  breaker.admit();
  breaker.succeeded();
  fail(breaker, 3);
  expect(breaker.admit()).toBe(100);
});

it("lets the next one probe when a probe was given up", () => {
  const breaker = breakerOf();
  fail(breaker, 3);
  nowMs = 100;
  expect(breaker.admit()).toBe(0);
  nowMs = 200;
  expect(breaker.admit()).toBe(0);
});
