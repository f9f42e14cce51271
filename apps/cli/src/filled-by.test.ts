import { expect, it } from "vitest";
import { decideFilledBy } from "./filled-by.js";

const server = { shared: true, acceptFailures: 0 };
const embedded = { shared: false, acceptFailures: 0 };

it.each([
  ["a server", undefined, server, "both"],
  ["a server", "local", server, "local"],
  ["a server", "queue", server, "queue"],
  ["a server, with texts accepted", undefined, { ...server, acceptFailures: 2 }, "both"],
  ["the embedded database", undefined, embedded, "local"],
  ["the embedded database", "local", embedded, "local"],
] as const)("on %s, --workers %s: %o means %s", (_name, asked, place, filledBy) =>
  expect(decideFilledBy(asked, place)).toBe(filledBy),
);

it.each([
  ["another word", "Queue", server, 'expected local or queue, got "Queue"'],
  ["nobody else", "queue", embedded, "an embedded database has one process"],
  ["texts accepted", "queue", { ...server, acceptFailures: 1 }, "workers accept no texts set aside"],
] as const)("refuses %s", (_name, asked, place, message) => {
  const refusal = expect.objectContaining({ code: "EMB_USAGE", message: expect.stringContaining(message) });
  expect(() => decideFilledBy(asked, place)).toThrow(refusal);
});
