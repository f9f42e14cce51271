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
 * Reads the source into the system of record. Safe to repeat after a kill. While one batch is read the one before is compared; what is new or changed
 * is gathered until it fills a batch, which is stored beside that. So memory is bounded by four batches and the largest document, and, of a source that is not in order
 * of id, 8 to 32 bytes for each of the first two million documents.
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
  /** Called with the ids of each batch, before `takeIn` ends. */
  onTaken?: (documentIds: readonly string[]) => Promise<void>;
}): Promise<IntakeReport> {
  const { documents, source, base, runId, version, signal } = intake;
  const total = { seen: 0, created: 0, changed: 0, unchanged: 0, superseded: 0, empty: 0, setAside: 0 };
  const saw = new SeenDocuments();
  let batch = new Batch();
  let failures: TextFailure[] = [];
  let idsHidden = source.partial !== undefined;
  let taking: Promise<void> = Promise.resolve();
  let differing = new Batch();
  let storing: Promise<void> = Promise.resolve();
  const unseen: string[] = [];
  let through = "";
  let walking = true;

  const store = async ({ items }: Batch) => {
    if (items.length === 0) return;
    const counts = await documents.intake({ base, runId, source: source.identity, documents: items });
    for (const key of ["created", "changed", "unchanged", "superseded"] as const) total[key] += counts[key];
  };
  /** After the ones before it; the next batches are compared meanwhile. */
  const storeDiffering = async () => {
    await storing;
    storing = store(differing);
    storing.catch(() => {}); // reported by the next await
    differing = new Batch();
  };
  /** What a walk passed needs no memory: it told what did not come. */
  const remember = async (ids: readonly string[]) => {
    const beyond = ids.filter((id) => !saw.add(id));
    if (beyond.length > 0) await documents.markSeen({ base, runId, documentIds: beyond });
  };
  const take = async ({ items }: Batch, refused: readonly TextFailure[], seen: number) => {
    if (items.length > 0) {
      const compared = await documents.compare({
        base,
        source: source.identity,
        documents: items,
        walkedThrough: walking ? through : null,
      });
      total.unchanged += items.length - compared.differing.length;
      for (const document of compared.differing) differing.add(document);
      walking = compared.unseen !== null;
      if (compared.unseen === null) await remember(items.map(({ id }) => id));
      else {
        through = items.at(-1)!.id;
        unseen.push(...compared.unseen);
      }
      if (differing.isFull) await storeDiffering();
      await intake.onTaken?.(items.map(({ id }) => id));
    }
    if (refused.length > 0) {
      await intake.onSetAside(refused);
      await remember(refused.map(({ documentId }) => documentId));
    }
    intake.onProgress?.(seen);
  };
  const takeBatch = async () => {
    await taking;
    taking = take(batch, failures, total.seen);
    taking.catch(() => {}); // reported by the await of the next batch
    batch = new Batch();
    failures = [];
  };

  const read = async () => {
    for await (const item of source.read({ signal })) {
      total.seen++;
      if (item.kind === "set-aside") {
        total.setAside++;
        idsHidden ||= item.hidesIds;
        failures.push({ documentId: item.id, ordinal: null, code: item.code, reason: item.reason });
      } else {
        if (!VISIBLE.test(item.text)) total.empty++;
        batch.add(incoming(item, version));
      }
      if (batch.isFull || failures.length >= BATCH_DOCUMENTS) await takeBatch();
    }
    await takeBatch();
    await taking;
    await storeDiffering();
  };

  try {
    await read();
  } finally {
    // whatever happened, nothing is written behind the caller's back
    await taking.catch(() => {});
    await storing.catch(() => {});
  }
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
    walked: { through, unseen },
  });
  return { ...total, removed };
}

/** Documents that are compared or stored together. */
class Batch {
  readonly items: IncomingDocument[] = [];
  #length = 0;

  add(document: IncomingDocument): void {
    this.items.push(document);
    this.#length += document.text.length;
  }

  get isFull(): boolean {
    return this.items.length >= BATCH_DOCUMENTS || this.#length >= BATCH_BYTES;
  }
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
