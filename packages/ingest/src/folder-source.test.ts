import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSource } from "./open-source.js";
import type { SetAside, SourceItem } from "./source.js";

let root: string;
let outside: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "emb-folder-")));
  outside = await realpath(await mkdtemp(join(tmpdir(), "emb-outside-")));
});
afterEach(() => Promise.all([rm(root, { recursive: true }), rm(outside, { recursive: true })]));

async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(root, name, ".."), { recursive: true });
    await writeFile(join(root, name), content);
  }
}

async function read(maxDocumentBytes = 1000): Promise<SourceItem[]> {
  const source = await openSource(root, { maxDocumentBytes });
  const items: SourceItem[] = [];
  for await (const item of source.read({ signal: new AbortController().signal })) items.push(item);
  return items;
}
const readIds = async (): Promise<string[]> => (await read()).map((item) => item.id);
const readOne = async (maxDocumentBytes?: number): Promise<SourceItem | undefined> => (await read(maxDocumentBytes))[0];
const aside = (id: string, code: SetAside["code"], reason: string, hidesIds = false): SetAside => ({
  kind: "set-aside",
  id,
  code,
  reason,
  hidesIds,
});

describe("what a folder source reads", () => {
  it("is Markdown and text at any depth, in bytewise order of ids", async () => {
    await put({
      "b.md": "",
      "a/z.txt": "",
      "a.md": "",
      "a-b/x.markdown": "",
      "B.MD": "",
      "\u{1F600}.md": "",
      "\uff21.md": "",
      "c.html": "",
      d: "",
    });
    const ids = await readIds();
    expect(ids).toEqual(["B.MD", "a-b/x.markdown", "a.md", "a/z.txt", "b.md", "\uff21.md", "\u{1F600}.md"]);
    expect(ids).toEqual(ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  it("is not what starts with a dot, nor node_modules", async () => {
    await put({
      ".git/a.md": "",
      ".hidden.md": "",
      "node_modules/p/README.md": "",
      "x/node_modules/y.md": "",
      "a.md": "",
    });
    expect(await readIds()).toEqual(["a.md"]);
  });

  it("is named by its path in NFC", async () => {
    await put({ "cafe\u0301/re\u0301sume\u0301.md": "x" });
    expect(await readIds()).toEqual(["caf\u00e9/r\u00e9sum\u00e9.md"]);
  });

  it("counts folders of one name in two Unicode forms as one, and sets the second file of a name aside", async () => {
    await put({ "\u00e9/b.md": "1", "e\u0301/a.md": "2", "e\u0301/b.md": "3" });
    const items = await read();
    expect(items.map((item) => [item.kind, item.id])).toEqual([
      ["document", "\u00e9/a.md"],
      ["document", "\u00e9/b.md"],
      ["set-aside", "e\u0301/b.md"],
    ]);
    expect(items[1]).toMatchObject({ text: "1" });
  });
});

describe("links", () => {
  it("that leave the root are refused", async () => {
    await writeFile(join(outside, "secret.md"), "secret");
    await symlink(join(outside, "secret.md"), join(root, "file.md"));
    await symlink(outside, join(root, "folder"));
    await symlink(join(outside, "secret.md"), join(root, "picture.png"));
    const reason = "expected a link that stays below the source's folder, found one that leaves it";
    expect(await read()).toEqual([
      aside("file.md", "EMB_DOCUMENT_INVALID", reason),
      aside("folder", "EMB_DOCUMENT_INVALID", reason),
    ]);
  });

  it("to a folder whose name only starts like the root's are refused too", async () => {
    const sibling = `${root}-sibling`;
    await mkdir(sibling);
    try {
      await symlink(sibling, join(root, "link"));
      expect(await read()).toMatchObject([{ kind: "set-aside", id: "link" }]);
    } finally {
      await rm(sibling, { recursive: true });
    }
  });

  it("inside the root are followed once, and never in a circle", async () => {
    await put({ "real/a.md": "a", "real/deep/b.md": "b" });
    await symlink(join(root, "real"), join(root, "link"));
    await symlink("..", join(root, "real/deep/up"));
    await symlink(root, join(root, "self"));
    await symlink("a.md", join(root, "real/copy.md"));
    expect(await readIds()).toEqual([
      "link/a.md",
      "link/copy.md",
      "link/deep/b.md",
      "real/a.md",
      "real/copy.md",
      "real/deep/b.md",
    ]);
  });

  it("that lead nowhere are set aside when they are named like a document", async () => {
    await symlink("gone.md", join(root, "a.md"));
    await symlink("gone", join(root, "b"));
    await symlink("c.md", join(root, "c.md"));
    expect(await read()).toMatchObject([
      { kind: "set-aside", id: "a.md", code: "EMB_DOCUMENT_UNREADABLE", hidesIds: false },
      { kind: "set-aside", id: "c.md", code: "EMB_DOCUMENT_UNREADABLE", hidesIds: false },
    ]);
  });
});

describe("what a folder source sets aside", () => {
  it.each([
    ["bytes that are not UTF-8", Buffer.from([0x61, 0xff]), "expected UTF-8, found bytes that are not"],
    ["UTF-16", Buffer.from("\ufeffabc", "utf16le"), "expected UTF-8, found a UTF-16 byte order mark"],
    ["NUL characters", "ab\0c", "text: expected text, found a NUL character at offset 2"],
    ["an encoded surrogate", Buffer.from([0xed, 0xa0, 0x80]), "expected UTF-8, found bytes that are not"],
  ])("%s", async (_what, content, reason) => {
    await put({ "a.md": content, "b.md": "fine" });
    expect(await read()).toMatchObject([
      aside("a.md", "EMB_DOCUMENT_INVALID", reason),
      { kind: "document", id: "b.md" },
    ]);
  });

  it("a file over the limit, and takes one at the limit", async () => {
    await put({ "a.md": "x".repeat(10) });
    expect(await readOne(10)).toMatchObject({ kind: "document" });
    expect(await readOne(9)).toEqual(
      aside("a.md", "EMB_DOCUMENT_TOO_LARGE", "expected at most 9 bytes, found at least 10"),
    );
  });

  it("a folder with a document's name", async () => {
    await mkdir(join(root, "x.md"));
    expect(await readOne()).toEqual(
      aside("x.md", "EMB_DOCUMENT_UNREADABLE", "expected a file by its name, found a folder, pipe, socket or device"),
    );
  });

  it.runIf(process.platform === "linux")("a pipe, without waiting for its writer", async () => {
    execFileSync("mkfifo", [join(root, "pipe.md")]);
    expect(await readOne()).toMatchObject({ kind: "set-aside", id: "pipe.md", code: "EMB_DOCUMENT_UNREADABLE" });
  });

  it.runIf(process.platform === "linux")("a name that is not UTF-8", async () => {
    await writeFile(Buffer.concat([Buffer.from(`${root}/a`), Buffer.from([0xff]), Buffer.from(".md")]), "x");
    expect(await readOne()).toEqual(
      aside("a%ff.md", "EMB_DOCUMENT_INVALID", "expected a name in UTF-8, found other bytes"),
    );
  });

  it("a path over 1,024 bytes, under a shorter name", async () => {
    const long = `${"d".repeat(200)}/`.repeat(6);
    await put({ [`${long}a.md`]: "x", [`${long}b.md`]: "x" });
    const items = await read();
    expect(items).toMatchObject([
      { kind: "set-aside", reason: "id: expected at most 1024 bytes, found 1210" },
      { kind: "set-aside", reason: "id: expected at most 1024 bytes, found 1210" },
    ]);
    expect(new Set(items.map((item) => item.id)).size).toBe(2);
    for (const item of items) expect(Buffer.byteLength(item.id)).toBeLessThanOrEqual(1024);
  });

  it("a file that goes away between the listing and the reading", async () => {
    await put({ "a.md": "a", "b.md": "b", "c.md": "c" });
    const source = await openSource(root, { maxDocumentBytes: 100 });
    const items: SourceItem[] = [];
    for await (const item of source.read({ signal: new AbortController().signal })) {
      items.push(item);
      await rm(join(root, "b.md"), { force: true });
    }
    expect(items.map((item) => [item.kind, item.id])).toEqual([
      ["document", "a.md"],
      ["set-aside", "b.md"],
      ["document", "c.md"],
    ]);
    expect(items[1]).toMatchObject({ code: "EMB_DOCUMENT_UNREADABLE" });
  });

  it.skipIf(process.getuid?.() === 0)("a file and a folder without permission; the folder hides ids", async () => {
    await put({ "a.md": "a", "locked/b.md": "b" });
    await chmod(join(root, "a.md"), 0);
    await chmod(join(root, "locked"), 0);
    const reason = "expected to read it, permission was denied (EACCES)";
    expect(await read()).toEqual([
      aside("a.md", "EMB_DOCUMENT_UNREADABLE", reason),
      aside("locked", "EMB_DOCUMENT_UNREADABLE", reason, true),
    ]);
    await chmod(join(root, "locked"), 0o700);
  });

  it("a folder that goes away after it was listed: it hides ids", async () => {
    await put({ "a.md": "a", "b/c.md": "c" });
    const source = await openSource(root, { maxDocumentBytes: 100 });
    const items: SourceItem[] = [];
    for await (const item of source.read({ signal: new AbortController().signal })) {
      items.push(item);
      await rm(join(root, "b"), { recursive: true, force: true });
    }
    expect(items[1]).toMatchObject({ kind: "set-aside", id: "b", code: "EMB_DOCUMENT_UNREADABLE", hidesIds: true });
  });
});

describe("openSource", () => {
  it("refuses what is not there", async () => {
    await expect(openSource(join(root, "gone"), { maxDocumentBytes: 1 })).rejects.toMatchObject({
      code: "EMB_SOURCE_MISSING",
    });
    await expect(openSource(" ", { maxDocumentBytes: 1 })).rejects.toMatchObject({ code: "EMB_SOURCE_MISSING" });
    const source = await openSource(root, { maxDocumentBytes: 1 });
    await rm(root, { recursive: true });
    await expect(
      source.read({ signal: new AbortController().signal })[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject({
      code: "EMB_SOURCE_MISSING",
    });
    await mkdir(root);
  });

  it("refuses a file that is no JSONL", async () => {
    await put({ "a.md": "x" });
    await expect(openSource(join(root, "a.md"), { maxDocumentBytes: 1 })).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
      hint: "Give the folder that holds the file, or write the documents as JSONL, one object a line.",
    });
    await expect(openSource(join(root, "a.md/b"), { maxDocumentBytes: 1 })).rejects.toMatchObject({
      code: "EMB_SOURCE_INVALID",
    });
  });

  it("knows a folder by its real path", async () => {
    await symlink(root, join(outside, "link"));
    expect((await openSource(join(outside, "link"), { maxDocumentBytes: 1 })).identity).toBe(`folder:${root}`);
    await put({ "c.ndjson": "" });
    expect((await openSource(join(outside, "link/c.ndjson"), { maxDocumentBytes: 1 })).identity).toBe(
      `jsonl:${root}/c.ndjson`,
    );
  });
});
