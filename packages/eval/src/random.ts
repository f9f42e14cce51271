/**
 * State of a stream of random numbers that is the same to the bit on every machine for the same seed: xoroshiro64*, integer arithmetic only.
 * Of its outputs only the higher bits are used. Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021.
 */
export interface Random {
  s0: number;
  s1: number;
}

/** 2^-32 times a number that `nextWord` gave is from 0 to below 1. */
export const WORD = 2 ** -32;

/** @param seed a whole number; its lower 53 bits count */
export function createRandom(seed: number): Random {
  const mix = createMixer(seed);
  const random = { s0: mix(), s1: mix() };
  if (random.s0 === 0 && random.s1 === 0) random.s0 = 1; // the one state that stays where it is
  return random;
}

/** Spreads near seeds apart. Source: splitmix32, the 32-bit form of Steele, Lea, Flood 2014, with the constants of MurmurHash3's finalizer. */
function createMixer(seed: number): () => number {
  let state = (Math.floor(seed / 2 ** 32) ^ 0x5bd1e995) | 0;
  const mix = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) | 0;
  };
  state = (mix() ^ (seed >>> 0)) | 0;
  return mix;
}

/** A whole number from 0 to 2^32 - 1. */
export function nextWord(random: Random): number {
  const { s0 } = random;
  const word = Math.imul(s0, 0x9e3779bb) >>> 0;
  const s1 = random.s1 ^ s0;
  random.s0 = ((s0 << 26) | (s0 >>> 6)) ^ s1 ^ (s1 << 9);
  random.s1 = (s1 << 13) | (s1 >>> 19);
  return word;
}
