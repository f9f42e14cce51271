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
