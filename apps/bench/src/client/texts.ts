export const DIMS = 1024;
/** Distinct vectors of the server; more would not fit the caches of a real one either. */
export const VECTORS = 512;
export const MODEL = "bench-embed";

const WORDS =
  "the a of to in and is for on with as by at from that which when if not can must may each every other same before after " +
  "index model vector query document search profile database migration server worker thread memory network storage region";

/** Distinct texts of about 100 tokens, each beginning with its number; `from` keeps warm-up and measured texts apart. */
export function makeTexts(from: number, count: number): string[] {
  const words = WORDS.split(" ");
  return Array.from({ length: count }, (_, i) => {
    let text = `${from + i}`;
    for (let k = 0; k < 99; k++) text += ` ${words[((from + i) * 31 + k * 17 + ((k * k) % 13)) % words.length]!}`;
    return text;
  });
}

/** Probe texts of a witness begin with a word: they share the first vector. */
export const vectorNumber = (text: string): number => (Number.parseInt(text, 10) || 0) % VECTORS;

/** Vector `number` of the server: norm 1, the same in every process. */
export function makeVector(number: number): Float32Array {
  const vector = new Float32Array(DIMS);
  let state = number * 7_919 + 1;
  let sum = 0;
  for (let i = 0; i < DIMS; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    vector[i] = state / 2 ** 32 - 0.5;
    sum += vector[i]! ** 2;
  }
  return vector.map((value) => value / Math.sqrt(sum));
}
