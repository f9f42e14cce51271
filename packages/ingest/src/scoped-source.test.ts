import { describe, expect, it } from "vitest";
import { parseScope, scopeSource } from "./scoped-source.js";
import type { Source, SourceItem } from "./source.js";

const document = (id: string, metadata: Record<string, string | number | string[]> = {}): SourceItem => ({
  kind: "document",
  id,
  title: null,
  format: "text",
  text: id,
  metadata,
  version: null,
});
const ITEMS: readonly SourceItem[] = [
  document("guides/de/start.md", { lang: "de", year: 2026 }),
  document("guides/start.md", { lang: "en", tags: ["new", "short"] }),
  {
    kind: "set-aside",
    id: "guides/torn.md",
    code: "EMB_DOCUMENT_UNREADABLE",
    reason: "expected text",
    hidesIds: false,
  },
  document("notes/.hidden.md"),
  document("notes/a.txt", { lang: "de" }),
];
let asked = 0;
const source: Source = {
  identity: "sample",
  async *read() {
    for (const item of ITEMS) {
      asked++;
      yield item;
    }
  },
};

async function idsOf(scopes: readonly string[], limit: number | null = null): Promise<string[]> {
  asked = 0;
  const ids: string[] = [];
  for await (const { id } of scopeSource(source, { scopes, limit }).read({ signal: new AbortController().signal }))
    ids.push(id);
  return ids;
}

describe("a scoped source", () => {
  it.each([
    [["path:guides/**"], ["guides/de/start.md", "guides/start.md", "guides/torn.md"]],
    [["path:guides/*.md"], ["guides/start.md", "guides/torn.md"]],
    [["path:notes/*"], ["notes/.hidden.md", "notes/a.txt"]],
    [["path:**/{start,a}.*"], ["guides/de/start.md", "guides/start.md", "notes/a.txt"]],
    [["metadata:lang=de"], ["guides/de/start.md", "guides/torn.md", "notes/a.txt"]],
    [["metadata:year=2026"], ["guides/de/start.md", "guides/torn.md"]],
    [["metadata:tags=short"], ["guides/start.md", "guides/torn.md"]],
    [["metadata:lang=de", "path:notes/**"], ["notes/a.txt"]],
  ])("%j", async (scopes, ids) => expect(await idsOf(scopes)).toEqual(ids));

  it("a limit counts documents, and nothing is read beyond the last of them", async () => {
    expect(await idsOf([], 2)).toEqual(["guides/de/start.md", "guides/start.md"]);
    expect(asked).toBe(2);
    expect(await idsOf([], 3)).toEqual(["guides/de/start.md", "guides/start.md", "guides/torn.md", "notes/.hidden.md"]);
    expect(await idsOf([], 0)).toEqual([]);
  });

  it("is the source itself when nothing narrows it, and says what does", () => {
    expect(scopeSource(source, { scopes: [], limit: null })).toBe(source);
    const { identity, partial } = scopeSource(source, { scopes: ["path:a", "metadata:b=c"], limit: 3 });
    expect([identity, partial]).toEqual(["sample", "scope path:a, scope metadata:b=c, limit 3"]);
  });

  it.each(["guides/**", "metadata:lang", "path:", "tag:x", ""])("%j is no scope", (text) =>
    expect(() => parseScope(text)).toThrow(expect.objectContaining({ code: "EMB_USAGE" })),
  );
});
