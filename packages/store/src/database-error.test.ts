import { expect, it } from "vitest";
import { databaseError } from "./database-error.js";

it.each([
  ["53100", "EMB_STORE_FULL"],
  ["53300", "EMB_STORE_UNAVAILABLE"],
  ["08006", "EMB_STORE_UNAVAILABLE"],
  ["40P01", "EMB_STORE_UNAVAILABLE"],
  ["22021", "EMB_DOCUMENT_INVALID"],
  ["25006", "EMB_STORE_UNAVAILABLE"],
  ["25001", "EMB_INTERNAL"],
  ["42601", "EMB_INTERNAL"],
  [undefined, "EMB_INTERNAL"],
] as const)("SQLSTATE %s is %s", (sqlState, code) => {
  const error = databaseError({ sqlState, message: "x".repeat(1_000) });
  expect([error.code, error.message.length <= 330]).toEqual([code, true]);
});

it("a session that begins on a full disk is told as one, another internal error is not", () => {
  const codeOf = (message: string) => databaseError({ sqlState: "XX000", message }).code;
  expect(codeOf("could not write init file")).toBe("EMB_STORE_UNAVAILABLE");
  expect(codeOf("cache lookup failed for relation 1")).toBe("EMB_INTERNAL");
});
