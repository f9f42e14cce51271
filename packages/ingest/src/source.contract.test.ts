import { AssertionError } from "node:assert/strict";
import { mkdtemp, open, readdir, readFile, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createFolderSource } from "./folder-source.js";
import { createJsonlSource } from "./jsonl-source.js";
import type { Source, SourceItem } from "./source.js";
import { sourceContract, type PlacedDocument, type SourceAdapter } from "./testing/source-contract.js";

const temporaryFolder = async (): Promise<string> => realpath(await mkdtemp(join(tmpdir(), "emb-source-")));

async function openBelow(folder: string): Promise<number> {
  const targets = await Promise.all(
    (await readdir("/proc/self/fd")).map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => "")),
  );
  return targets.filter((target) => target.startsWith(folder)).length;
}

const NOT_UTF8 = Buffer.from([0x66, 0xff, 0xfe, 0x66]);

const folderAdapter: SourceAdapter = {
  idSuffix: ".md",
  async create(documents, options) {
    const folder = await temporaryFolder();
    for (const { kind, id, text } of documents) {
      const name = kind === "twin" ? id.normalize("NFD") : id;
      await writeFile(join(folder, name), kind === "unreadable" ? Buffer.concat([Buffer.from(text), NOT_UTF8]) : text);
    }
    return {
      open: () => createFolderSource(folder, options),
      rewrite: (id, text) => writeFile(join(folder, id), text),
      openHandles: () => openBelow(folder),
      remove: () => rm(folder, { recursive: true }),
    };
  },
};

const toLine = ({ kind, id, text }: PlacedDocument): string =>
  kind === "unreadable" ? `{"_id": "${id}", ${text}` : JSON.stringify({ _id: id, text });

const jsonlAdapter: SourceAdapter = {
  idSuffix: "",
  async create(documents, options) {
    const folder = await temporaryFolder();
    const path = join(folder, "corpus.jsonl");
    await writeFile(path, documents.map((document) => `${toLine(document)}\n`).join(""));
    return {
      open: () => createJsonlSource(path, options),
      async rewrite(id, text) {
        const content = await readFile(path, "utf8");
        const file = await open(path, "r+");
        try {
          await file.write(
            text,
            Buffer.byteLength(content.slice(0, content.indexOf('"text":"', content.indexOf(`"${id}"`)) + 8)),
          );
        } finally {
          await file.close();
        }
      },
      openHandles: () => openBelow(folder),
      remove: () => rm(folder, { recursive: true }),
    };
  },
};

describe.runIf(process.platform === "linux").each([
  ["createFolderSource", folderAdapter],
  ["createJsonlSource", jsonlAdapter],
])("%s keeps the source contract", (_source, adapter) => {
  it.each(Object.entries(sourceContract))("%s", (_name, check) => check(adapter));
});

/** The folder source with its reading spoilt. */
const spoil = (read: (source: Source, signal: AbortSignal) => AsyncIterable<SourceItem>): SourceAdapter => ({
  idSuffix: ".md",
  async create(documents, options) {
    const place = await folderAdapter.create(documents, options);
    return {
      ...place,
      open: () => {
        const source = place.open();
        return { identity: source.identity, read: ({ signal }) => read(source, signal) };
      },
    };
  },
});

const change = (each: (item: SourceItem) => SourceItem | null): SourceAdapter =>
  spoil(async function* (source, signal) {
    for await (const item of source.read({ signal })) {
      const changed = each(item);
      if (changed !== null) yield changed;
    }
  });

const readAhead = spoil(async function* (source, signal) {
  const items: SourceItem[] = [];
  for await (const item of source.read({ signal })) items.push(item);
  yield* items;
});

const deaf = spoil((source) => source.read({ signal: new AbortController().signal }));

/** Holds a file open that it forgets when it is left early. */
const leaking: SourceAdapter = {
  ...folderAdapter,
  async create(documents, options) {
    const place = await folderAdapter.create(documents, options);
    return { ...place, openHandles: async () => (await place.openHandles()) + 1 };
  },
};

let reads = 0;
const broken: Record<keyof typeof sourceContract, SourceAdapter> = {
  "gives every document once, in the order of its place": change((item) => (item.id === "b.md" ? null : item)),
  "gives the same items on every read of unchanged content": change((item) => ({
    ...item,
    id: `${item.id}${reads++}`,
  })),
  "keeps its identity": {
    ...folderAdapter,
    async create(documents, options) {
      const place = await folderAdapter.create(documents, options);
      return { ...place, open: () => ({ ...place.open(), identity: `folder:${reads++}` }) };
    },
  },
  "gives nothing for an empty place": spoil(async function* () {
    await Promise.resolve();
    yield { kind: "document", id: "a", title: null, format: "text", text: "", metadata: {}, version: null };
  }),
  "gives an empty document": change((item) => (item.kind === "document" && item.text === "" ? null : item)),
  "sets a second document with the same id aside": change((item) =>
    item.kind === "set-aside"
      ? {
          kind: "document",
          id: item.id.normalize("NFC"),
          title: null,
          format: "text",
          text: "",
          metadata: {},
          version: null,
        }
      : item,
  ),
  "sets a document that cannot be read aside and goes on": change((item) => (item.kind === "set-aside" ? null : item)),
  "sets a document over the limit aside and goes on": {
    idSuffix: ".md",
    create: (documents) => folderAdapter.create(documents, { maxDocumentBytes: Infinity }),
  },
  "says why it sets aside, without the text": change((item) =>
    item.kind === "set-aside" ? { ...item, reason: "expected UTF-8, found secret" } : item,
  ),
  "gives text without byte order mark, with line ends as \\n": change((item) =>
    item.kind === "document" ? { ...item, text: `\ufeff${item.text}` } : item,
  ),
  "reads a document when it is asked for, not before": readAhead,
  "closes every file when the reader leaves early": leaking,
  "ends with the signal's reason on abort, and closes every file": deaf,
  "reads nothing when already aborted": deaf,
};

const checks: Readonly<Record<string, (adapter: SourceAdapter) => Promise<void>>> = sourceContract;

describe.runIf(process.platform === "linux")("the source contract fails on a broken source", () => {
  it.each(Object.entries(broken))("%s", async (name, adapter) => {
    await expect(checks[name]?.(adapter)).rejects.toThrow(AssertionError);
  });
});
