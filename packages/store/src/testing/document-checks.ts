import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Store } from "../store.js";
import type { IncomingDocument } from "../documents.js";
import { refused, type StoreCheck } from "./namespace-checks.js";
import { batchOf, chunksOf, documentOf, newBase, openSample, sealOf, startFilling } from "./sealed-sample.js";

const intake = (
  store: Store,
  base: string,
  documents: readonly IncomingDocument[],
  runId: string = randomUUID(),
  source = "sample",
) => store.documents.intake({ base, runId, source, documents });
const all = (store: Store, base: string) => store.documents.read({ base, after: null, through: null, limit: 1_000 });
const ids = async (page: Promise<readonly { id: string }[]>) => (await page).map(({ id }) => id);

export const documentChecks = {
  "drawn versions rise": async (store) => {
    const first = await store.documents.nextVersion();
    assert.ok((await store.documents.nextVersion()) > first);
  },
  "a document comes back as it was given": async (store) => {
    const base = newBase();
    const given = documentOf("päth/to/ü.md", 7n, {
      title: "Größe → 10 \\u0000 \\",
      format: "markdown",
      text: '# Titel\n\n𝄞 text with "quotes", \ttabs and {braces}\n',
      metadata: { path: "a\\u0000b", tags: ["x", null, 1.5], nested: { yes: true } },
    });
    await intake(store, base, [given, documentOf("z", 7n)]);
    assert.deepEqual(
      await all(store, base),
      [
        { ...documentOf("z", 7n), deleted: false, source: "sample" },
        { ...given, deleted: false, source: "sample" },
      ].toSorted((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))),
    );
  },
  "intake counts what is new, changed, unchanged and superseded": async (store) => {
    const base = newBase();
    assert.deepEqual(
      await intake(
        store,
        base,
        ["a", "b", "c"].map((id) => documentOf(id, 5n)),
      ),
      { created: 3, changed: 0, unchanged: 0, superseded: 0 },
    );
    const again = [
      documentOf("a", 6n),
      documentOf("b", 6n, { text: "new" }),
      documentOf("c", 4n, { text: "old" }),
      documentOf("d", 6n),
    ];
    assert.deepEqual(await intake(store, base, again), { created: 1, changed: 1, unchanged: 1, superseded: 1 });
  },
  "intake takes over what came from another source, and its text only where it differs": async (store) => {
    const base = newBase();
    await intake(
      store,
      base,
      ["a", "b", "c"].map((id) => documentOf(id, 5n)),
      randomUUID(),
      "place before",
    );
    const again = [documentOf("a", 6n, { text: "new" }), documentOf("c", 6n)];
    assert.deepEqual(await intake(store, base, again), { created: 0, changed: 1, unchanged: 1, superseded: 0 });
    assert.deepEqual(
      (await all(store, base)).map(({ id, source, version }) => [id, source, version]),
      [
        ["a", "sample", 6n],
        ["b", "place before", 5n],
        ["c", "sample", 5n],
      ],
    );
  },
  "comparing finds its documents among others, in whatever order they come": async (store) => {
    const given = ["a", "b", "c", "d", "\u{ff5e}"];
    for (const [name, order, others] of [
      ["in order", given, 1],
      ["far apart", given, 150],
      ["backwards", given.toReversed(), 1],
      ["with one that sorts otherwise by UTF-16 units", ["a", "𝄞", "\u{ff5e}"], 1],
    ] as const) {
      const base = newBase();
      const between = order.flatMap((id) => Array.from({ length: others }, (_, n) => documentOf(`${id}/${n}`, 5n)));
      await intake(store, base, between, randomUUID(), "other source");
      const differing = async (change: (id: string) => Partial<IncomingDocument> = () => ({})) => {
        const documents = order.map((id) => documentOf(id, 6n, change(id)));
        const compared = await store.documents.compare({ base, source: "sample", documents, walkedThrough: null });
        assert.equal(compared.unseen, null, name);
        const walked = await store.documents.compare({ base, source: "sample", documents, walkedThrough: "" });
        assert.deepEqual(walked, { ...compared, unseen: name === "in order" ? [] : null }, name);
        return compared.differing.map(({ id }) => id);
      };
      const stored = order.map((id) => documentOf(id, 5n));
      await intake(store, base, stored, randomUUID(), "place before");
      assert.deepEqual(await differing(), order, name);
      await intake(store, base, stored.slice(1));
      assert.deepEqual(await differing(), order.slice(0, 1), name);
      await intake(store, base, stored);
      assert.deepEqual(await differing(), [], name);
      assert.deepEqual(await differing((id) => (id === "\u{ff5e}" ? { text: "new" } : {})), ["\u{ff5e}"], name);
      await store.documents.delete({ base, documentId: "a", version: 5n });
      assert.deepEqual(await differing(), ["a"], name);
    }
  },
  "a walk tells what stands between and did not come, of its own source": async (store) => {
    const base = newBase();
    const own = ["a", "b", "c", "d", "e", "f", "g"];
    await intake(
      store,
      base,
      own.map((id) => documentOf(id, 5n)),
    );
    await intake(store, base, [documentOf("b/other", 5n)], randomUUID(), "other source");
    await store.documents.delete({ base, documentId: "f", version: 6n });
    const unseen = async (come: readonly string[], walkedThrough: string | null) =>
      (
        await store.documents.compare({
          base,
          source: "sample",
          documents: come.map((id) => documentOf(id, 6n)),
          walkedThrough,
        })
      ).unseen;
    assert.deepEqual(await unseen(["b", "d", "e"], ""), ["a", "c"]);
    assert.deepEqual(await unseen(["g"], "e"), []);
    assert.deepEqual(await unseen(["g"], "d"), ["e"]);
    assert.deepEqual(await unseen(["b", "d"], null), null);
    assert.deepEqual(await unseen(["d", "b"], ""), null, "not in order");
    assert.deepEqual(await unseen(["b", "d"], "b"), null, "not behind the walk");
  },
  "an unchanged document keeps its version": async (store) => {
    const base = newBase();
    await intake(store, base, [documentOf("a", 5n)]);
    await intake(store, base, [documentOf("a", 6n)]);
    assert.deepEqual(
      (await all(store, base)).map(({ version }) => version),
      [5n],
    );
  },
  "a newer document is never overwritten by an older one": async (store) => {
    const base = newBase();
    await intake(store, base, [documentOf("a", 6n, { text: "new" })]);
    await intake(store, base, [documentOf("a", 5n, { text: "old" })]);
    assert.deepEqual(
      (await all(store, base)).map(({ text, version }) => [text, version]),
      [["new", 6n]],
    );
  },
  "repeating an intake changes nothing": async (store) => {
    const base = newBase();
    const runId = randomUUID();
    const documents = [documentOf("a", 5n), documentOf("b", 5n)];
    await intake(store, base, documents, runId);
    const before = await all(store, base);
    assert.deepEqual(await intake(store, base, documents, runId), {
      created: 0,
      changed: 0,
      unchanged: 2,
      superseded: 0,
    });
    assert.deepEqual(await all(store, base), before);
  },
  "order is bytewise and the bounds are after, through": async (store) => {
    const base = newBase();
    const order = ["A", "B/", "B/a", "Z", "a", "a b", "a-b", "é", "z", "ä"]
      .map((id) => Buffer.from(id))
      .toSorted((a, b) => Buffer.compare(a, b))
      .map(String);
    await intake(
      store,
      base,
      order.toReversed().map((id) => documentOf(id, 1n)),
    );
    assert.deepEqual(await ids(all(store, base)), order);
    assert.deepEqual(await ids(store.documents.read({ base, after: "B/", through: "a b", limit: 1_000 })), [
      "B/a",
      "Z",
      "a",
      "a b",
    ]);
    assert.deepEqual(await ids(store.documents.read({ base, after: "B/", through: "a b", limit: 2 })), ["B/a", "Z"]);
  },
  "a page ends with the document that passes maxBytes": async (store) => {
    const base = newBase();
    await intake(
      store,
      base,
      ["a", "b", "c"].map((id) => documentOf(id, 1n, { text: id.repeat(10) })),
    );
    const page = (maxBytes: number) =>
      ids(store.documents.read({ base, after: null, through: null, limit: 10, maxBytes }));
    assert.deepEqual(await page(1), ["a"]);
    assert.deepEqual(await page(10), ["a"]);
    assert.deepEqual(await page(11), ["a", "b"]);
    assert.deepEqual(await page(1_000), ["a", "b", "c"]);
  },
  "a NUL character is refused by name and nothing of the call is stored": async (store) => {
    const base = newBase();
    for (const broken of [
      documentOf("bad", 1n, { text: "a\0b" }),
      documentOf("bad", 1n, { metadata: { key: "\0" } }),
      documentOf("bad", 1n, { title: "\0" }),
    ]) {
      await refused(intake(store, base, [documentOf("a", 1n), broken]), "EMB_DOCUMENT_INVALID", "bad");
    }
    assert.deepEqual(await store.documents.count(base), { live: 0, deleted: 0 });
  },
  "sweep tombstones what the run did not see, of its source and older": async (store) => {
    const base = newBase();
    const old = randomUUID();
    await intake(
      store,
      base,
      ["seen", "marked", "gone"].map((id) => documentOf(id, 1n)),
      old,
    );
    await intake(store, base, [documentOf("newer", 9n)], old);
    await intake(store, base, [documentOf("foreign", 1n)], old, "other source");
    const runId = randomUUID();
    await intake(store, base, [documentOf("seen", 5n)], runId);
    await store.documents.markSeen({ base, runId, documentIds: ["marked"] });
    const saw = (id: string) => id === "seen";
    assert.equal(await store.documents.sweep({ base, runId, source: "sample", version: 5n, saw }), 1);
    assert.deepEqual(await ids(all(store, base)), ["foreign", "marked", "newer", "seen"]);
    assert.deepEqual(await store.documents.count(base), { live: 4, deleted: 1 });
  },
  "sweep looks again at what a walk found unseen, and behind its end": async (store) => {
    const base = newBase();
    const runId = randomUUID();
    await intake(
      store,
      base,
      ["a", "b", "c", "d", "e", "f"].map((id) => documentOf(id, 1n)),
    );
    await intake(store, base, [documentOf("newer", 9n)]);
    await intake(store, base, [documentOf("moved", 1n)], runId, "other source");
    await store.documents.markSeen({ base, runId, documentIds: ["c"] });
    const walked = { through: "d", unseen: ["b", "c", "d", "moved", "newer"] };
    const saw = (id: string) => id === "d" || id === "f";
    assert.equal(await store.documents.sweep({ base, runId, source: "sample", version: 5n, saw, walked }), 2);
    assert.deepEqual(await ids(all(store, base)), ["a", "c", "d", "f", "moved", "newer"]);
  },
  "sweep ends the run's memory": async (store) => {
    const base = newBase();
    const runId = randomUUID();
    await intake(store, base, [documentOf("a", 1n)], runId);
    await store.documents.markSeen({ base, runId, documentIds: ["a"] });
    const sweep = { base, runId, source: "sample", version: 2n, saw: () => false };
    assert.equal(await store.documents.sweep(sweep), 0);
    assert.equal(await store.documents.sweep(sweep), 1);
  },
  "a deletion stays deleted until a newer version comes": async (store) => {
    const base = newBase();
    await intake(store, base, [documentOf("a", 5n)]);
    assert.deepEqual(await store.documents.delete({ base, documentId: "a", version: 7n }), {
      state: "deleted",
      version: 7n,
    });
    assert.deepEqual(await intake(store, base, [documentOf("a", 6n)]), {
      created: 0,
      changed: 0,
      unchanged: 0,
      superseded: 1,
    });
    assert.deepEqual(await store.documents.count(base), { live: 0, deleted: 1 });
    assert.deepEqual(await intake(store, base, [documentOf("a", 8n)]), {
      created: 1,
      changed: 0,
      unchanged: 0,
      superseded: 0,
    });
    assert.deepEqual(await ids(all(store, base)), ["a"]);
  },
  "deleting tells when it was newer or not there": async (store) => {
    const base = newBase();
    const remove = (documentId: string, version: bigint) => store.documents.delete({ base, documentId, version });
    await intake(store, base, [documentOf("a", 5n)]);
    assert.deepEqual(await remove("a", 4n), { state: "superseded", version: 5n });
    assert.deepEqual(await remove("b", 9n), { state: "absent", version: 9n });
    assert.deepEqual(await store.documents.count(base), { live: 1, deleted: 1 });
    assert.deepEqual(await remove("a", 5n), { state: "deleted", version: 5n });
    assert.deepEqual(await remove("a", 6n), { state: "absent", version: 6n });
    assert.deepEqual(await remove("a", 4n), { state: "absent", version: 6n });
  },
  "a deletion removes the chunks from every namespace of the base": async (store) => {
    const first = await startFilling(store, ["a", "b"]);
    const second = await startFilling(store, ["a", "b"], { base: first.base, seal: { profile: "second" } });
    for (const filling of [first, second]) {
      const versions = await all(store, filling.base);
      await filling.writer.writeBatch(
        batchOf(
          filling,
          versions.map(({ id, version }) => chunksOf(id, version, 2)),
        ),
      );
    }
    await store.runs.recordFailures(first.runId, [{ documentId: "a", ordinal: 1, code: "-", reason: "-" }]);
    const deletion = await store.documents.delete({ base: first.base, documentId: "a", version: second.version });
    assert.equal(deletion.state, "deleted");
    assert.deepEqual(await store.runs.failures(first.runId, 10), []);
    for (const filling of [first, second]) {
      assert.deepEqual(await (await openSample(store, filling)).count(), { documents: 1, chunks: 2 });
      assert.equal(await (await openSample(store, filling)).lag(), 0);
    }
    assert.notEqual(sealOf().spaceId, second.seal.spaceId);
  },
} satisfies Record<string, StoreCheck>;
