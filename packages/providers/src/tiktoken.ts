import { BYTES_PER_TOKEN } from "./byte-bound.js";
import { loadPeer } from "./optional-peer.js";
import { exactly, type TokenCount } from "./tokenizer.js";

type Encoding = "cl100k_base" | "o200k_base";

const ENCODINGS: Record<Encoding, () => Promise<Counter>> = {
  cl100k_base: () => import("gpt-tokenizer/encoding/cl100k_base"),
  o200k_base: () => import("gpt-tokenizer/encoding/o200k_base"),
};

/** What we use of gpt-tokenizer. */
interface Counter {
  countTokens(text: string, options: { disallowedSpecial: Set<string> }): number;
}

export const TIKTOKEN_ENCODINGS = Object.keys(ENCODINGS);
export const isTiktokenEncoding = (name: string): name is Encoding => Object.hasOwn(ENCODINGS, name);

/**
 * gpt-tokenizer takes time in the square of a piece (a word, a stretch of blanks or of signs): 80,000 letters without a break
 * take 15 s, measured. Words of this length are no language; their tokens are bounded by their bytes.
 */
const LONGEST_PIECE = 256;
const LONG_PIECES = new RegExp(
  ["[\\p{L}\\p{M}]", "\\p{N}", "\\s", "[^\\s\\p{L}\\p{N}]"].map((kind) => `${kind}{${LONGEST_PIECE + 1},}`).join("|"),
  "gu",
);

/**
 * Counts as OpenAI's models do. Words such as `<|endoftext|>` are plain text here, as they are in a document.
 * @throws EmbError EMB_MODEL_UNAVAILABLE when the package gpt-tokenizer is missing
 */
export async function loadTiktoken(encoding: Encoding): Promise<(text: string) => TokenCount> {
  const library = await loadPeer("gpt-tokenizer", ENCODINGS[encoding]);
  const options = { disallowedSpecial: new Set<string>() };
  const count = (text: string): number => library.countTokens(text, options);
  return (text) => {
    if (text.length <= LONGEST_PIECE) return exactly(count(text));
    let [tokens, estimate, end] = [0, 0, 0];
    for (const { 0: piece, index } of text.matchAll(LONG_PIECES)) {
      const [before, bytes] = [count(text.slice(end, index)), Buffer.byteLength(piece)];
      tokens += before + bytes;
      estimate += before + Math.ceil(bytes / BYTES_PER_TOKEN);
      end = index + piece.length;
    }
    if (end === 0) return exactly(count(text));
    const after = count(text.slice(end));
    return { tokens: tokens + after, exact: false, estimate: estimate + after };
  };
}
