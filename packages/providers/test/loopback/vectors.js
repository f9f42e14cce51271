// @ts-check
import { createHash } from "node:crypto";

/**
 * Numbers in [-1, 1) that follow from the words alone. Written here by hand (sfc32) so that the server's process and the
 * test that checks its answers make the same ones.
 * @param {readonly string[]} words
 * @returns {() => number}
 */
function numbersOf(words) {
  const hash = createHash("sha256");
  for (const word of words) hash.update(word).update("\0");
  const seed = hash.digest();
  let [a, b, c, d] = [seed.readInt32LE(0), seed.readInt32LE(4), seed.readInt32LE(8), seed.readInt32LE(12)];
  return () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 31 - 1;
  };
}

/**
 * The vector that every loopback service gives a text: distinct for each text and task, of the given norm.
 * @param {string} text with its prompt
 * @param {string} task what the request asked for, empty when the protocol has no tasks
 * @param {number} dims
 * @param {number} [norm]
 */
export function vectorOf(text, task, dims, norm = 1) {
  const next = numbersOf([task, text]);
  const raw = Float64Array.from({ length: dims }, next);
  const scale = norm / Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(raw, (value) => value * scale);
}

/** Terms of the vocabulary that sparse vectors are over. */
const VOCABULARY = 250_002;

/**
 * One term for each word, with a weight that follows from the text; indices rise.
 * @param {string} text
 */
export function sparseOf(text) {
  const next = numbersOf(["sparse", text]);
  const count = wordsOf(text).length;
  /** @type {Map<number, number>} */
  const terms = new Map();
  while (terms.size < count) {
    terms.set(Math.floor(((next() + 1) / 2) * VOCABULARY), Math.fround((next() + 1.01) / 2));
  }
  const sorted = [...terms].toSorted(([a], [b]) => a - b);
  return { indices: sorted.map(([index]) => index), values: sorted.map(([, value]) => value) };
}

/**
 * One vector of norm 1 for each word.
 * @param {string} text
 * @param {number} dims
 */
export const multiVectorOf = (text, dims) =>
  wordsOf(text).map((word, position) => vectorOf(`${position} ${word} ${text}`, "multi-vector", dims));

/** @param {string} text */
const wordsOf = (text) => text.split(/\s+/).filter((word) => word !== "");

/**
 * Tokens as the loopback services count them: one for each word, and two around the text.
 * @param {string} text
 */
export const tokensOf = (text) => wordsOf(text).length + 2;

/**
 * What a service makes of a text that it truncates in silence.
 * @param {string} text
 * @param {number} maxTokens
 */
export const truncated = (text, maxTokens) =>
  wordsOf(text)
    .slice(0, maxTokens - 2)
    .join(" ");
