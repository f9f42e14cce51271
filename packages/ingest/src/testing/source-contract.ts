import assert from "node:assert/strict";
import type { SetAside, Source, SourceDocument, SourceItem } from "../source.js";

/** What the suite asks an adapter to put into a place. */
export type PlacedDocument =
  | { readonly kind: "text"; readonly id: string; readonly text: string }
  /** A second document with the id of the text before it. */
  | { readonly kind: "twin"; readonly id: string; readonly text: string }
  /** A document that is there and cannot be read: bytes that are not UTF-8, no permission, ... */
  | { readonly kind: "unreadable"; readonly id: string; readonly text: string }
  /** More bytes than the source takes. */
  | { readonly kind: "too-large"; readonly id: string; readonly text: string };

export interface SourcePlace {
  /** A new source over the same place. */
  open(): Source;
  /** Replaces the text of a document that is there by one of the same length in bytes. */
  rewrite(id: string, text: string): Promise<void>;
  /** How many of the place's files (or cursors, or sockets) are open in this process now. */
  openHandles(): Promise<number>;
  remove(): Promise<void>;
}

export interface SourceAdapter {
  /** Ids the suite uses end in this: `.md` for a source that goes by file names, else empty. */
  readonly idSuffix: string;
  /** A new place of its own that holds these documents and takes up to `maxDocumentBytes` of each. Ids ascend bytewise. */
  create(documents: readonly PlacedDocument[], options: { maxDocumentBytes: number }): Promise<SourcePlace>;
}

const MAX_DOCUMENT_BYTES = 512 * 1024;
const LARGE_TEXT_BYTES = 256 * 1024;

async function within(
  adapter: SourceAdapter,
  documents: readonly PlacedDocument[],
  check: (place: SourcePlace) => Promise<void>,
): Promise<void> {
  const suffixed = documents.map((document) => ({ ...document, id: document.id + adapter.idSuffix }));
  const place = await adapter.create(suffixed, { maxDocumentBytes: MAX_DOCUMENT_BYTES });
  try {
    await check(place);
  } finally {
    await place.remove();
  }
}

const live = (): { signal: AbortSignal } => ({ signal: new AbortController().signal });

const startReading = (place: SourcePlace, signal: AbortSignal): AsyncIterator<SourceItem> =>
  place.open().read({ signal })[Symbol.asyncIterator]();

async function readAll(source: Source): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const item of source.read(live())) items.push(item);
  return items;
}

const isDocument = (item: SourceItem): item is SourceDocument => item.kind === "document";
const isSetAside = (item: SourceItem): item is SetAside => item.kind === "set-aside";
const text = (id: string, content = `words of ${id}`): PlacedDocument => ({ kind: "text", id, text: content });
const SEVERAL = ["B", "a", "b", "caf\u00e9", "\u6587"].map((id) => text(id));

/** What every Source promises. Run each check with your adapter; it throws AssertionError on a broken promise. */
export const sourceContract = {
  "gives every document once, in the order of its place": (adapter) =>
    within(adapter, SEVERAL, async (place) => {
      const items = await readAll(place.open());
      assert.deepEqual(
        items.map((item) => item.id),
        SEVERAL.map((document) => document.id + adapter.idSuffix),
      );
      assert.ok(items.every(isDocument));
      assert.deepEqual(
        items.filter(isDocument).map((item) => item.text),
        SEVERAL.map((document) => document.text),
      );
    }),

  "gives the same items on every read of unchanged content": (adapter) =>
    within(adapter, [...SEVERAL, { kind: "unreadable", id: "\u6587\u6587", text: "x" }], async (place) => {
      const source = place.open();
      const first = await readAll(source);
      assert.deepEqual(await readAll(source), first);
      assert.deepEqual(await readAll(place.open()), first);
    }),

  "keeps its identity": (adapter) =>
    within(adapter, SEVERAL, (place) =>
      within(adapter, SEVERAL, async (other) => {
        assert.equal(place.open().identity, place.open().identity);
        assert.notEqual(place.open().identity, "");
        assert.notEqual(place.open().identity, other.open().identity);
      }),
    ),

  "gives nothing for an empty place": (adapter) =>
    within(adapter, [], async (place) => assert.deepEqual(await readAll(place.open()), [])),

  "gives an empty document": (adapter) =>
    within(adapter, [text("a", "")], async (place) => {
      const [item] = await readAll(place.open());
      assert.ok(item !== undefined && isDocument(item) && item.text === "");
    }),

  "sets a second document with the same id aside": (adapter) =>
    within(adapter, [text("\u00e9"), { kind: "twin", id: "\u00e9", text: "secret" }, text("\u6587")], async (place) => {
      const items = await readAll(place.open());
      assert.deepEqual(
        items.map((item) => item.kind),
        ["document", "set-aside", "document"],
      );
      assert.equal(new Set(items.map((item) => item.id)).size, 3, "ids are distinct");
    }),

  "sets a document that cannot be read aside and goes on": (adapter) =>
    within(adapter, [text("a"), { kind: "unreadable", id: "b", text: "secret" }, text("c")], async (place) => {
      const items = await readAll(place.open());
      assert.deepEqual(
        items.map((item) => item.kind),
        ["document", "set-aside", "document"],
      );
    }),

  "sets a document over the limit aside and goes on": (adapter) =>
    within(
      adapter,
      [text("a"), { kind: "too-large", id: "b", text: "x".repeat(MAX_DOCUMENT_BYTES + 1) }, text("c")],
      async (place) => {
        const items = await readAll(place.open());
        assert.deepEqual(
          items.map((item) => (isSetAside(item) ? item.code : item.kind)),
          ["document", "EMB_DOCUMENT_TOO_LARGE", "document"],
        );
      },
    ),

  "says why it sets aside, without the text": (adapter) =>
    within(
      adapter,
      [{ kind: "unreadable", id: "a", text: "secret" }, text("\u00e9"), { kind: "twin", id: "\u00e9", text: "secret" }],
      async (place) => {
        const refused = (await readAll(place.open())).filter(isSetAside);
        assert.equal(refused.length, 2);
        for (const { reason, id } of refused) {
          assert.match(reason, /expected .+/);
          assert.ok(!reason.includes("secret") && !id.includes("secret"), "the text is in the report");
          assert.ok(id !== "" && Buffer.byteLength(id) <= 1024);
        }
      },
    ),

  "gives text without byte order mark, with line ends as \\n": (adapter) =>
    within(adapter, [text("a", "\ufeffone\r\ntwo\rthree\n")], async (place) => {
      const [item] = await readAll(place.open());
      assert.ok(item !== undefined && isDocument(item));
      assert.equal(item.text, "one\ntwo\nthree\n");
    }),

  "reads a document when it is asked for, not before": (adapter) => {
    const ids = Array.from({ length: 9 }, (_, index) => `d${index}`);
    return within(
      adapter,
      ids.map((id) => text(id, "x".repeat(LARGE_TEXT_BYTES))),
      async (place) => {
        const reading = startReading(place, live().signal);
        await reading.next();
        await place.rewrite(`d3${adapter.idSuffix}`, "y".repeat(LARGE_TEXT_BYTES));
        await reading.next();
        await reading.next();
        const { value } = await reading.next();
        await reading.return?.();
        assert.ok(value !== undefined && isDocument(value) && value.text.startsWith("y"), "a document was read ahead");
      },
    );
  },

  "closes every file when the reader leaves early": (adapter) =>
    within(adapter, SEVERAL, async (place) => {
      for await (const item of place.open().read(live())) {
        assert.ok(isDocument(item));
        break;
      }
      assert.equal(await place.openHandles(), 0);
    }),

  "ends with the signal's reason on abort, and closes every file": (adapter) =>
    within(adapter, SEVERAL, async (place) => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const reading = startReading(place, controller.signal);
      await reading.next();
      controller.abort(reason);
      await assert.rejects(reading.next(), (error) => error === reason);
      assert.equal(await place.openHandles(), 0);
    }),

  "reads nothing when already aborted": (adapter) =>
    within(adapter, SEVERAL, async (place) => {
      const reason = new Error("enough");
      const reading = startReading(place, AbortSignal.abort(reason));
      await assert.rejects(reading.next(), (error) => error === reason);
      assert.equal(await place.openHandles(), 0);
    }),
} satisfies Record<string, (adapter: SourceAdapter) => Promise<void>>;
