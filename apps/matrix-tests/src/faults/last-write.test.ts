import { expect, it } from "vitest";
import { lastWrite, type Write } from "./last-write.js";

const put = (version: bigint, text: string | null, certain = true): Write => ({ version, text, certain });

it.each<[string, Write[], (string | null)[]]>([
  ["nothing was written", [], [null]],
  ["the higher version came first", [put(5n, "five"), put(4n, "four")], ["five"]],
  ["it was deleted last", [put(4n, "four"), put(5n, null)], [null]],
  ["a reading that broke off is newer", [put(4n, "four"), put(5n, "source", false)], ["source", "four"]],
  ["a reading that broke off is older", [put(6n, "six"), put(5n, "source", false)], ["six"]],
  ["two readings broke off after it", [put(4n, null), put(5n, "s", false), put(6n, "s", false)], ["s", null]],
  ["only a reading that broke off says it", [put(5n, "source", false)], ["source", null]],
])("when %s", (_name, writes, texts) => {
  expect(lastWrite(writes)).toEqual(texts);
});
