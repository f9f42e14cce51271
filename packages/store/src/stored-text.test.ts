import { expect, it } from "vitest";
import { checkStorable } from "./stored-text.js";
import { documentOf } from "./testing/sealed-sample.js";

it.each([
  ["an empty id", documentOf("", 1n)],
  ["a long id", documentOf("é".repeat(513), 1n)],
  ["NUL in the id", documentOf("a\0", 1n)],
  ["NUL in the text", documentOf("a", 1n, { text: "b\0" })],
  ["NUL in a metadata key", documentOf("a", 1n, { metadata: { "k\0": 1 } })],
  ["NUL after backslashes", documentOf("a", 1n, { metadata: { k: "\\\\\0" } })],
  ["half a surrogate pair in the text", documentOf("a", 1n, { text: "\ud83d" })],
  ["half a surrogate pair in the metadata", documentOf("a", 1n, { metadata: { k: ["\udc00"] } })],
  ["a short hash", documentOf("a", 1n, { contentHash: new Uint8Array(31) })],
])("%s is refused", (_, document) => {
  expect(() => checkStorable(document)).toThrow(expect.objectContaining({ code: "EMB_DOCUMENT_INVALID" }));
});

it.each([
  ["an id of 1,024 bytes", documentOf("é".repeat(512), 1n)],
  ["a whole surrogate pair", documentOf("a", 1n, { text: "😀", metadata: { k: "😀" } })],
  ["a backslash before u0000", documentOf("a", 1n, { metadata: { k: "\\u0000", l: "\\\\ud800" } })],
])("%s is taken", (_, document) => checkStorable(document));
