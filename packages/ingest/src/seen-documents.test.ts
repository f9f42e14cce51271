import { expect, it } from "vitest";
import { SeenDocuments } from "./seen-documents.js";

const id = (i: number) => `guides/section-${i % 7}/page-${i}.md`;

it("knows every id that was added, and no other, while it grows", () => {
  const seen = new SeenDocuments();
  const added = Array.from({ length: 100_000 }, (_, i) => seen.add(id(i)));
  expect(added).not.toContain(false);
  const known = Array.from({ length: 200_000 }, (_, i) => seen.has(id(i)));
  expect(known.indexOf(false)).toBe(100_000);
  expect(known.lastIndexOf(true)).toBe(99_999);
});

it("tells ids apart that differ in one unit, in order or in length", () => {
  const seen = new SeenDocuments();
  seen.add("ab");
  expect(["ab", "ba", "ac", "a", "", "ab\0", "ａｂ"].map((other) => seen.has(other))).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
    false,
  ]);
});

it("says so when there is no room", () => {
  const seen = new SeenDocuments(2);
  expect(["a", "b", "a", "c", "b"].map((documentId) => seen.add(documentId))).toEqual([true, true, true, false, true]);
  expect(["a", "b", "c"].map((documentId) => seen.has(documentId))).toEqual([true, true, false]);
});
