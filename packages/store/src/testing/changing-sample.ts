import type { IncomingDocument } from "../documents.js";
import type { Store } from "../store.js";
import { batchOf, chunksOf, documentOf, openSample, startFilling, type Filling } from "./sealed-sample.js";

export const MINUTE_MS = 60_000;

export const putText = async (
  store: Store,
  base: string,
  id: string,
  text: string,
  change: Partial<IncomingDocument> = {},
) => {
  const version = change.version ?? (await store.documents.nextVersion());
  return store.documents.put({ base, source: "put", document: documentOf(id, version, { text, ...change }) });
};
export const own = (version: bigint) => ({ version, ownVersion: true });
export const live = async (store: Store, base: string) =>
  (await store.documents.read({ base, after: null, through: null, limit: 100 })).map(({ id, text, version }) => [
    id,
    text,
    version,
  ]);
export const claim = async (store: Store, { record }: Filling, claimMs = MINUTE_MS, documentIds?: readonly string[]) =>
  store.changes.claim({ namespaceId: record.id, limit: 10, claimMs, ...(documentIds && { documentIds }) });
export const claimedIds = async (...call: Parameters<typeof claim>) =>
  (await claim(...call)).map(({ documentId }) => documentId);
export const counts = async (store: Store, { record }: Filling) => {
  const found = (await store.changes.counts()).find(({ namespaceId }) => namespaceId === record.id);
  return found === undefined ? { queued: 0, setAside: 0 } : { queued: found.queued, setAside: found.setAside };
};

/** Two namespaces of one base that show everything. */
export async function twoFilled(store: Store, ids: readonly string[]): Promise<[Filling, Filling]> {
  const first = await startFilling(store, ids);
  const second = await startFilling(store, ids, { base: first.base, seal: { profile: "second" } });
  const pages = await store.documents.read({ base: first.base, after: null, through: null, limit: 100 });
  for (const filling of [first, second])
    await filling.writer.writeBatch(
      batchOf(
        filling,
        pages.map(({ id, version }) => chunksOf(id, version, 2)),
      ),
    );
  return [first, second];
}
export const show = (filling: Filling, id: string, version: bigint, chunks = 1, failures: { ordinal: number }[] = []) =>
  filling.writer.writeChanges({
    documents: [chunksOf(id, version, chunks)],
    settled: [],
    failures: failures.map(({ ordinal }) => ({
      documentId: id,
      ordinal,
      code: "EMB_TEXT_TOO_LONG",
      reason: "too long",
    })),
  });
export const rows = async (store: Store, filling: Filling, id: string) =>
  (await (await openSample(store, filling)).scan({ after: null, limit: 1_000 }))
    .filter(({ documentId }) => documentId === id)
    .map(({ ordinal, documentVersion }) => [ordinal, documentVersion]);
