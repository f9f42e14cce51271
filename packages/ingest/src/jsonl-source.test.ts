import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSource } from "./open-source.js";
import type { SourceItem } from "./source.js";

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "emb-jsonl-")));
});
afterEach(() => rm(folder, { recursive: true }));

async function readFile(path: string, maxDocumentBytes: number): Promise<SourceItem[]> {
  const source = await openSource(path, { maxDocumentBytes });
  const items: SourceItem[] = [];
  for await (const item of source.read({ signal: new AbortController().signal })) items.push(item);
  return items;
}

async function read(content: string | Uint8Array, maxDocumentBytes = 1000): Promise<SourceItem[]> {
  const path = join(folder, "corpus.jsonl");
  await writeFile(path, content);
  return readFile(path, maxDocumentBytes);
}

const DOCUMENT = { kind: "document", id: "a", title: null, format: "text", text: "x", metadata: {}, version: null };

describe("what a JSONL source reads", () => {
  it.each([
    ["_id and text", '{"_id":"a","text":"x"}\n', {}],
    ["id instead of _id", '{"id":"a","text":"x"}\n', {}],
    ["_id before id", '{"id":"b","_id":"a","text":"x"}', {}],
    [
      "title and metadata",
      '{"_id":"a","title":"T","text":"x","metadata":{"k":[1,null,{"b":true}]}}',
      { title: "T", metadata: { k: [1, null, { b: true }] } },
    ],
    ["null title and metadata", '{"_id":"a","title":null,"text":"x","metadata":null}', {}],
    ["an empty title", '{"_id":"a","title":"","text":"x"}', {}],
    ["a version", '{"_id":"a","text":"x","version":9007199254740991}', { version: 9007199254740991n }],
    ["a format", '{"_id":"a","text":"x","format":"markdown"}', { format: "markdown" }],
    ["an empty text", '{"_id":"a","text":""}', { text: "" }],
    ["keys of other tools", '{"_id":"a","text":"x","url":"u"}', {}],
    ["a byte order mark and line ends of Windows", '\ufeff\r\n{"_id":"a","text":"x"}\r\n\r\n', {}],
    ["line ends in the text", '{"_id":"a","text":"1\\r\\n2\\r3\\n"}', { text: "1\n2\n3\n" }],
    ["an id as it is", '{"_id":"e\\u0301/../ b","text":"x"}', { id: "e\u0301/../ b" }],
  ])("%s", async (_what, content, fields) => {
    expect(await read(content)).toEqual([{ ...DOCUMENT, ...fields }]);
  });

  it("is nothing in an empty file and in blank lines", async () => {
    expect(await read("")).toEqual([]);
    expect(await read("\n \n\t\r\n")).toEqual([]);
  });

  it("is in the order of the lines", async () => {
    expect(
      (await read(["b", "a", "c"].map((id) => `{"_id":"${id}","text":"x"}`).join("\n"))).map((item) => item.id),
    ).toEqual(["b", "a", "c"]);
  });
});

describe("what a JSONL source sets aside", () => {
  const half = Buffer.concat([Buffer.from('{"_id":"a","text":"x'), Buffer.from([0xff]), Buffer.from('"}')]);
  it.each<[string, string | Uint8Array, { id?: string; reason: string; hidesIds?: boolean }]>([
    [
      "text that is not JSON",
      '{"_id":"a","text":"secret"',
      { reason: "expected a JSON object on one line, found text that is not JSON", hidesIds: true },
    ],
    ["bytes that are not UTF-8", half, { reason: "expected UTF-8, found bytes that are not", hidesIds: true }],
    ["a list", '["a"]', { reason: 'expected a string "_id" or "id", found none', hidesIds: true }],
    ["null", "null", { reason: 'expected a string "_id" or "id", found none', hidesIds: true }],
    ["no id", '{"text":"secret"}', { reason: 'expected a string "_id" or "id", found none', hidesIds: true }],
    [
      "an id that is a number",
      '{"_id":1,"text":"x"}',
      { reason: 'expected a string "_id" or "id", found none', hidesIds: true },
    ],
    ["a blank id", '{"_id":" ","text":"x"}', { reason: "id: expected a name, found blanks only" }],
    [
      "an id over 1,024 bytes",
      `{"_id":"${"\u00e9".repeat(513)}","text":"x"}`,
      { reason: "id: expected at most 1024 bytes, found 1026" },
    ],
    [
      "an id with NUL",
      '{"_id":"a\\u0000","text":"x"}',
      { reason: "id: expected text, found a NUL character at offset 1" },
    ],
    ["no text", '{"_id":"a"}', { id: "a", reason: "text: Invalid input: expected string, received undefined" }],
    [
      "a text that is a number",
      '{"_id":"a","text":1}',
      { id: "a", reason: "text: Invalid input: expected string, received number" },
    ],
    [
      "a text with NUL",
      '{"_id":"a","text":"x\\u0000"}',
      { id: "a", reason: "text: expected text, found a NUL character at offset 1" },
    ],
    [
      "a text with half a pair",
      '{"_id":"a","text":"x\\ud83d"}',
      { id: "a", reason: "text: expected valid Unicode, found half a surrogate pair at offset 1" },
    ],
    [
      "a title with NUL",
      '{"_id":"a","text":"x","title":"\\u0000"}',
      { id: "a", reason: "title: expected text, found a NUL character at offset 0" },
    ],
    [
      "metadata that is a list",
      '{"_id":"a","text":"x","metadata":[]}',
      { id: "a", reason: "metadata: Invalid input: expected record, received array" },
    ],
    [
      "metadata with NUL",
      '{"_id":"a","text":"x","metadata":{"k":"\\u0000"}}',
      { id: "a", reason: "metadata: expected text, found a NUL character at offset 0" },
    ],
    [
      "metadata with a number JSON lacks",
      '{"_id":"a","text":"x","metadata":{"k":1e999}}',
      { id: "a", reason: "metadata: expected finite numbers, found another" },
    ],
    [
      "metadata nested too deep",
      `{"_id":"a","text":"x","metadata":{"k":${"[".repeat(70)}${"]".repeat(70)}}}`,
      { id: "a", reason: "metadata: expected at most 64 levels, found more" },
    ],
    [
      "a version that is no whole number",
      '{"_id":"a","text":"x","version":1.5}',
      { id: "a", reason: "version: Invalid input: expected int, received number" },
    ],
    [
      "an unknown format",
      '{"_id":"a","text":"x","format":"html"}',
      { id: "a", reason: 'format: Invalid option: expected one of "markdown"|"text"' },
    ],
  ])("%s", async (_what, line, { id, reason, hidesIds }) => {
    const items = await read(
      Buffer.concat([
        Buffer.from('{"_id":"0","text":"x"}\n'),
        Buffer.from(line),
        Buffer.from('\n{"_id":"9","text":"x"}\n'),
      ]),
      5000,
    );
    expect(items.map((item) => item.id)).toEqual(["0", id ?? "corpus.jsonl:2", "9"]);
    expect(items[1]).toEqual({
      kind: "set-aside",
      id: id ?? "corpus.jsonl:2",
      code: "EMB_DOCUMENT_INVALID",
      reason,
      hidesIds: hidesIds ?? false,
    });
    expect(reason).not.toContain("secret");
  });

  it("an id that comes again, by its line; a line that was set aside has taken its id", async () => {
    const items = await read('{"_id":"a","text":"1"}\n{"_id":"a","text":"2"}\n{"_id":"b"}\n{"_id":"b","text":"3"}\n');
    expect(items.map((item) => [item.kind, item.id])).toEqual([
      ["document", "a"],
      ["set-aside", "corpus.jsonl:2"],
      ["set-aside", "b"],
      ["set-aside", "corpus.jsonl:4"],
    ]);
    expect(items[1]).toMatchObject({
      reason: "id: expected one that no line before has, found it a second time",
      hidesIds: false,
    });
  });

  it("a line over the limit, and takes one at the limit", async () => {
    const line = '{"_id":"a","text":"x"}';
    expect(await read(`${line}\n`, line.length)).toEqual([DOCUMENT]);
    expect(await read(`${line}\n{"_id":"b","text":""}\n`, line.length - 1)).toMatchObject([
      {
        kind: "set-aside",
        id: "corpus.jsonl:1",
        code: "EMB_DOCUMENT_TOO_LARGE",
        reason: "expected at most 21 bytes, found at least 22",
        hidesIds: true,
      },
      { kind: "document", id: "b" },
    ]);
  });

  it("lines of every length around the buffer's, without mixing them up", async () => {
    const texts = [65_500, 65_535, 65_536, 65_537, 0, 131_072, 1, 200_000].map((length, index) =>
      String(index).repeat(length),
    );
    const items = await read(
      texts.map((text, index) => JSON.stringify({ _id: `d${index}`, text })).join("\n"),
      300_000,
    );
    expect(items.map((item) => (item.kind === "document" ? item.text : item.reason))).toEqual(texts);
  });

  it("a line of 64 MB without holding it", async () => {
    const path = join(folder, "big.jsonl");
    await writeFile(path, Buffer.alloc(64 * 1024 * 1024, "x"));
    const before = process.memoryUsage().arrayBuffers;
    const [item] = await readFile(path, 1000);
    expect(item).toMatchObject({ code: "EMB_DOCUMENT_TOO_LARGE" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });
});

const SQUAD = new URL("../../../../shared/data/squad2-dev/corpus.jsonl", import.meta.url).pathname;

describe("real text", () => {
  it.skipIf(!existsSync(SQUAD))("squad2-dev is read whole (skipped where ../shared/data is absent)", async () => {
    const items = await readFile(SQUAD, 1_000_000);
    expect(items.filter((item) => item.kind === "document")).toHaveLength(1216);
    expect(items.filter((item) => item.kind === "set-aside")).toEqual([]);
  });
});
