import type { StoredChunkFacts } from "@emb/store";

/** A chunk as the document, chunked now, asks for it. */
export interface WantedChunk {
  /** SHA-256 of what is embedded. */
  readonly content: Buffer;
  /** SHA-256 of what a reader is shown. */
  readonly shown: Buffer;
}

export interface DocumentJudgement {
  readonly expected: number;
  readonly found: number;
  readonly missing: number;
  readonly duplicate: number;
  /** Rows with another content, or of a document that is gone. */
  readonly stale: number;
  /** Rows with the right content hash whose text or headings were changed past emb. */
  readonly altered: number;
  readonly wrongDims: number;
  readonly wrongNorms: number;
}

export interface VectorRule {
  readonly dims: number;
  /** Distance of an L2 norm from 1; null: no rule. */
  readonly normTolerance: number | null;
}

/**
 * Compares the rows of one document with what it asks for. Pure.
 * @param wanted by ordinal; empty for a document that is gone
 * @param notExpected ordinals that were set aside
 */
export function judgeDocument(
  wanted: readonly WantedChunk[],
  rows: readonly StoredChunkFacts[],
  notExpected: ReadonlySet<number>,
  rule: VectorRule,
): DocumentJudgement {
  const judged = { missing: 0, duplicate: 0, stale: 0, altered: 0, wrongDims: 0, wrongNorms: 0 };
  const seen = new Set<number>();
  for (const row of rows) {
    const chunk = wanted[row.ordinal];
    if (seen.has(row.ordinal)) judged.duplicate++;
    else if (chunk === undefined || chunk.content.compare(row.contentHash) !== 0) judged.stale++;
    else if (chunk.shown.compare(row.shownHash) !== 0) judged.altered++;
    seen.add(row.ordinal);
    if (row.dims !== rule.dims) judged.wrongDims++;
    // so written, a NaN is wrong too
    if (rule.normTolerance !== null && !(Math.abs(row.norm - 1) <= rule.normTolerance)) judged.wrongNorms++;
  }
  let expected = 0;
  for (const ordinal of wanted.keys()) {
    if (!seen.has(ordinal) && notExpected.has(ordinal)) continue;
    expected++;
    if (!seen.has(ordinal)) judged.missing++;
  }
  return { expected, found: rows.length, ...judged };
}

export const isSound = ({ missing, duplicate, stale, altered, wrongDims, wrongNorms }: DocumentJudgement): boolean =>
  missing + duplicate + stale + altered + wrongDims + wrongNorms === 0;
