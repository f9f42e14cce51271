/** A document that a search found. A higher score is closer. */
export interface ScoredDocument {
  readonly id: string;
  readonly score: number;
}

/**
 * Each document once, with its best score, in trec_eval's order: by score, falling; equal scores by document id, falling bytewise. A run
 * file that is written from it is read back in the same order by every tool that follows trec_eval.
 * Source: trec_eval, form_res_rels.c, comp_sim_docno.
 */
export function rankDocuments(found: Iterable<ScoredDocument>): ScoredDocument[] {
  const best = new Map<string, number>();
  for (const { id, score } of found) {
    const before = best.get(id);
    if (before === undefined || score > before) best.set(id, score);
  }
  return [...best]
    .map(([id, score]) => ({ id, score }))
    .toSorted((a, b) => b.score - a.score || compareBytes(b.id, a.id));
}

/** Order of two texts by the bytes of their UTF-8, which is the order of their code points. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return order(x) - order(y);
  }
  return a.length - b.length;
}

/** Half of a surrogate pair stands for a code point above every unit that is none. */
const order = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
