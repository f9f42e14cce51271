import type { Documents, NamespaceReader, Standing, StoredChunkFacts, StoredDocument, TextFailure } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { chunkHash, shownHash } from "./content-hash.js";
import { isSound, judgeDocument, type DocumentJudgement, type VectorRule, type WantedChunk } from "./judge-document.js";

const PAGE_DOCUMENTS = 200;
const PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_CHUNKS = 2000;
/** Enough to repair in one go; the rest of a larger damage is found by the next verification. */
const MAX_NAMED_DOCUMENTS = 100_000;
/** Documents that are looked at again together. */
const LOOK_DOCUMENTS = 50;
/** A document that changes at each look is taken for one that moves. */
const MAX_LOOKS = 5;

export interface CompareSetup {
  readonly documents: Pick<Documents, "read">;
  readonly reader: NamespaceReader;
  readonly chunker: Chunker;
  readonly rule: VectorRule;
  /** Texts that are known to be set aside. */
  readonly setAside: readonly TextFailure[];
  /** A run, unfinished or to come, will bring what is not committed in its current version. */
  readonly filling: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: ((chunks: number) => void) | undefined;
}

export interface Comparison extends DocumentJudgement {
  /** Documents that are on their way: not shown as they are now, and queued or in front of a run. */
  readonly lag: number;
  readonly seals: ReadonlySet<number>;
  /** Documents to write again; at most 100,000 are named. */
  readonly damaged: ReadonlySet<string>;
}

/**
 * Compares what a namespace has with what the documents, chunked anew, ask for, while others write. Two walks in the same bytewise order are merged; a
 * document that differs may have changed between them, so it is looked at again at the end, at one moment: only what still differs then counts.
 */
export async function compareChunks(setup: CompareSetup): Promise<Comparison> {
  const { reader, signal, rule } = setup;
  const sum = {
    expected: 0,
    found: 0,
    missing: 0,
    duplicate: 0,
    stale: 0,
    altered: 0,
    wrongDims: 0,
    wrongNorms: 0,
    lag: 0,
  };
  const seals = new Set<number>();
  const damaged = new Set<string>();
  const suspects: string[] = [];
  const notExpected = ordinalsOf(setup.setAside);

  const add = (judgement: DocumentJudgement, rows: readonly StoredChunkFacts[]) => {
    for (const key of COUNTS) sum[key] += judgement[key];
    for (const { sealId } of rows) seals.add(sealId);
  };
  const look = (documentId: string, wanted: readonly WantedChunk[], rows: readonly StoredChunkFacts[]) => {
    const judgement = judgeDocument(wanted, rows, notExpected(documentId), rule);
    if (isSound(judgement)) add(judgement, rows);
    else suspects.push(documentId);
  };

  const rows = createRowWalk(reader, (seen) => setup.onProgress?.(seen));
  const lookAtGone = (gone: readonly StoredChunkFacts[]) => {
    for (const id of new Set(gone.map(({ documentId }) => documentId)))
      look(
        id,
        [],
        gone.filter(({ documentId }) => documentId === id),
      );
  };
  let after: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const page = await readPage(setup, { after });
    for (const document of page) {
      lookAtGone(await rows.before(document.id));
      look(document.id, wantedOf(setup, document), await rows.of(document.id));
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  lookAtGone(await rows.before(null));

  for (let place = 0; place < suspects.length; place += LOOK_DOCUMENTS) {
    signal.throwIfAborted();
    for (const found of await lookAgain(setup, suspects.slice(place, place + LOOK_DOCUMENTS), notExpected)) {
      if (found.moving) sum.lag++;
      else {
        add(found.judgement, found.rows);
        if (!isSound(found.judgement) && damaged.size < MAX_NAMED_DOCUMENTS) damaged.add(found.documentId);
      }
    }
  }
  return { ...sum, seals, damaged };
}

const COUNTS = [
  "expected",
  "found",
  "missing",
  "duplicate",
  "stale",
  "altered",
  "wrongDims",
  "wrongNorms",
] as const satisfies readonly (keyof DocumentJudgement)[];

type Look = { readonly documentId: string } & (
  | { readonly moving: true }
  | { readonly moving: false; readonly judgement: DocumentJudgement; readonly rows: readonly StoredChunkFacts[] }
);

/** Each document once more: read between two equal looks at how it stands, so that text and rows belong together. */
async function lookAgain(
  setup: CompareSetup,
  documentIds: readonly string[],
  notExpected: (documentId: string) => ReadonlySet<number>,
): Promise<Look[]> {
  const { reader, rule, filling } = setup;
  const looks: Look[] = [];
  let left = documentIds;
  for (let tries = 0; left.length > 0; tries++) {
    const before = await standingOf(reader, left);
    const texts = new Map<string, StoredDocument>();
    for (let after: string | null = null; ;) {
      const page: readonly StoredDocument[] = await readPage(setup, { after, ids: left });
      for (const document of page) texts.set(document.id, document);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
    const rows = await readRows(reader, left);
    const now = await standingOf(reader, left);
    const changed: string[] = [];
    for (const documentId of left) {
      const standing = now.get(documentId);
      if (!isSame(before.get(documentId), standing)) {
        changed.push(documentId);
        continue;
      }
      const document = texts.get(documentId);
      const own = rows.get(documentId) ?? [];
      const expectedGaps = new Set([...notExpected(documentId), ...(standing?.setAside ?? [])]);
      const judgement = judgeDocument(document ? wantedOf(setup, document) : [], own, expectedGaps, rule);
      const moving = !isSound(judgement) && isOnItsWay(standing, filling);
      looks.push(moving ? { documentId, moving } : { documentId, moving, judgement, rows: own });
    }
    if (tries === MAX_LOOKS) return [...looks, ...changed.map((documentId) => ({ documentId, moving: true as const }))];
    left = changed;
  }
  return looks;
}

/** Not shown as it is now, and somebody is bound to show it. Pure. */
const isOnItsWay = (standing: Standing | undefined, filling: boolean): boolean =>
  standing !== undefined &&
  !standing.deleted &&
  standing.committed !== standing.version &&
  (filling || standing.change === "queued");

const isSame = (a: Standing | undefined, b: Standing | undefined): boolean =>
  a?.version === b?.version && a?.deleted === b?.deleted && a?.committed === b?.committed && a?.change === b?.change;

const standingOf = async (reader: NamespaceReader, ids: readonly string[]) =>
  new Map((await reader.standing(ids)).map((standing) => [standing.documentId, standing]));

const readPage = ({ documents, reader }: CompareSetup, page: { after: string | null; ids?: readonly string[] }) =>
  documents.read({
    ...page,
    base: reader.record.base,
    through: null,
    limit: PAGE_DOCUMENTS,
    maxBytes: PAGE_BYTES,
  });

async function readRows(reader: NamespaceReader, documentIds: readonly string[]) {
  const byDocument = new Map<string, StoredChunkFacts[]>();
  for (let after: { documentId: string; ordinal: number } | null = null; ;) {
    const page: readonly StoredChunkFacts[] = await reader.scan({ after, limit: PAGE_CHUNKS, documentIds });
    for (const row of page) {
      const own = byDocument.get(row.documentId);
      if (own === undefined) byDocument.set(row.documentId, [row]);
      else own.push(row);
    }
    const last = page.at(-1);
    if (last === undefined) return byDocument;
    after = { documentId: last.documentId, ordinal: last.ordinal };
  }
}

const wantedOf = ({ chunker }: Pick<CompareSetup, "chunker">, document: StoredDocument): WantedChunk[] =>
  chunker.chunk(document).map((chunk) => ({ content: chunkHash(chunk.embedText), shown: shownHash(chunk) }));

const NONE: ReadonlySet<number> = new Set();

function ordinalsOf(failures: readonly TextFailure[]): (documentId: string) => ReadonlySet<number> {
  const byDocument = new Map<string, Set<number>>();
  for (const { documentId, ordinal } of failures) {
    if (ordinal === null) continue;
    const own = byDocument.get(documentId);
    if (own === undefined) byDocument.set(documentId, new Set([ordinal]));
    else own.add(ordinal);
  }
  return (documentId) => byDocument.get(documentId) ?? NONE;
}

/** Stored rows in order, taken document by document. Ids are compared as the store orders them: by their UTF-8 bytes. */
function createRowWalk(reader: NamespaceReader, onPage: (seen: number) => void) {
  let page: readonly StoredChunkFacts[] = [];
  let place = 0;
  let seen = 0;
  let last: { documentId: string; ordinal: number } | null = null;
  let ended = false;

  const peek = async (): Promise<StoredChunkFacts | undefined> => {
    if (place === page.length && !ended) {
      page = await reader.scan({ after: last, limit: PAGE_CHUNKS });
      place = 0;
      seen += page.length;
      ended = page.length === 0;
      onPage(seen);
    }
    return page[place];
  };
  const takeWhile = async (wanted: (row: StoredChunkFacts) => boolean): Promise<StoredChunkFacts[]> => {
    const taken: StoredChunkFacts[] = [];
    for (let row = await peek(); row !== undefined && wanted(row); row = await peek()) {
      taken.push(row);
      last = { documentId: row.documentId, ordinal: row.ordinal };
      place++;
    }
    return taken;
  };
  return {
    /** Rows of documents before `id`; null: all that are left. */
    before: (id: string | null) =>
      takeWhile((row) => id === null || Buffer.compare(Buffer.from(row.documentId), Buffer.from(id)) < 0),
    of: (id: string) => takeWhile((row) => row.documentId === id),
  };
}
