import type { Documents, IncomingDocument, TextFailure } from "@emb/store";
import { documentHash } from "./content-hash.js";
import { SeenDocuments } from "./seen-documents.js";
import { emptySource } from "./source-error.js";
import type { Source, SourceDocument } from "./source.js";

/** Committed together: small enough to bound memory, large enough to make a round trip cheap. */
const BATCH_DOCUMENTS = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;

const VISIBLE = /\S/;

export interface IntakeReport {
  /** Documents the source gave, set-aside ones among them. */
  readonly seen: number;
  readonly created: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly superseded: number;
  /** Documents without any text: kept, with no chunks. */
  readonly empty: number;
  readonly setAside: number;
  /** Tombstoned because the source does not have them any more; none while an item hides ids. */
  readonly removed: number;
}

/**
 * Reads the source into the system of record. Safe to repeat after a kill. While one batch is stored the next one is read, so memory is bounded by two
 * batches and the largest document, and 8 to 32 bytes for each of the first two million documents.
 * A source without any document is refused, because it would remove every document stored from it before. A partial one removes nothing.
 * @param onSetAside called with each batch of documents that could not be taken, before the next is read
 * @throws EmbError EMB_SOURCE_EMPTY, EMB_SOURCE_MISSING, EMB_SOURCE_INVALID, store errors; the signal's reason on abort
 */
export async function takeIn(intake: {
  documents: Documents;
  source: Source;
  base: string;
  runId: string;
  version: bigint;
  signal: AbortSignal;
  onSetAside: (failures: readonly TextFailure[]) => Promise<void>;
  onProgress?: (seen: number) => void;
  /** Not an error when the source gives nothing. @defaultValue false */
  mayBeEmpty?: boolean;
  /** Called with the ids of each batch after it was taken in. */
  onTaken?: (documentIds: readonly string[]) => Promise<void>;
}): Promise<IntakeReport> {
  const { documents, source, base, runId, version, signal } = intake;
  const total = { seen: 0, created: 0, changed: 0, unchanged: 0, superseded: 0, empty: 0, setAside: 0 };
  const saw = new SeenDocuments();
  let batch: IncomingDocument[] = [];
  let batchBytes = 0;
  let failures: TextFailure[] = [];
  let idsHidden = source.partial !== undefined;
  let storing: Promise<void> = Promise.resolve();

  const store = async (given: readonly IncomingDocument[], refused: readonly TextFailure[], seen: number) => {
    if (given.length > 0) {
      const counts = await documents.intake({ base, runId, source: source.identity, documents: given });
      for (const key of ["created", "changed", "unchanged", "superseded"] as const) total[key] += counts[key];
      await intake.onTaken?.(given.map(({ id }) => id));
    }
    if (refused.length > 0) await intake.onSetAside(refused);
    const ids = [...given.map(({ id }) => id), ...refused.map(({ documentId }) => documentId)];
    const beyond = ids.filter((id) => !saw.add(id));
    if (beyond.length > 0) await documents.markSeen({ base, runId, documentIds: beyond });
    intake.onProgress?.(seen);
  };
  const commit = async () => {
    await storing;
    storing = store(batch, failures, total.seen);
    storing.catch(() => {}); // reported by the await of the next batch
    batch = [];
    batchBytes = 0;
    failures = [];
  };

  for await (const item of source.read({ signal })) {
    total.seen++;
    if (item.kind === "set-aside") {
      total.setAside++;
      idsHidden ||= item.hidesIds;
      failures.push({ documentId: item.id, ordinal: null, code: item.code, reason: item.reason });
    } else {
      if (!VISIBLE.test(item.text)) total.empty++;
      batch.push(incoming(item, version));
      batchBytes += item.text.length;
    }
    if (batch.length + failures.length >= BATCH_DOCUMENTS || batchBytes >= BATCH_BYTES) await commit();
  }
  await commit();
  await storing;
  signal.throwIfAborted();
  if (total.seen === 0 && intake.mayBeEmpty !== true) throw emptySource(source);
  // Behind such an item may stand any document: nothing is taken for gone. Version 0 tombstones nothing and still ends the run's memory.
  const removed = await documents.sweep({
    base,
    runId,
    source: source.identity,
    version: idsHidden ? 0n : version,
    saw: (id) => saw.has(id),
  });
  return { ...total, removed };
}

const incoming = (item: SourceDocument, version: bigint): IncomingDocument => {
  const { id, title, format, text, metadata } = item;
  return {
    id,
    title,
    format,
    text,
    metadata,
    version: item.version ?? version,
    ownVersion: item.version !== null,
    contentHash: documentHash({ title, format, text, metadata }),
  };
};
