/**
 * Reads JSON arrays of numbers out of a body's bytes into float32 rows, without making a string or a list of them.
 *
 * Every number comes out as `Math.fround(JSON.parse(text))` to the bit. The digits are gathered into a double that is
 * wrong by a few units in its last place at most; when both ends of that error round to the same float32, so does the
 * right double between them (rounding is monotone). Where they do not, about once in 10 million numbers, and for
 * exponents beyond a double's exact powers of ten, `Number` decides.
 */

/** Zero bytes that must follow a body in its buffer, so that reading ahead by four never leaves it. */
export const BODY_PADDING = 16;

/** 10^0 to 10^22: the powers of ten that a double holds exactly. */
const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Bounds the gathered double's relative error: 16 digits kept, two roundings, each 2^-53. */
const ERROR_BOUND = 4e-15;

/** Digits of two gathered halves; more are dropped, which the error bound covers. */
const HALF_DIGITS = 8;

const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const BRACKET_END = 93;

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;
const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/** Bytes of one body, readable as single bytes and as words. */
export interface BodyBytes {
  /** The body and at least `BODY_PADDING` zero bytes. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Of the body. */
  readonly length: number;
}

export const bodyBytes = (padded: Buffer, length: number): BodyBytes => ({
  bytes: padded,
  view: new DataView(padded.buffer, padded.byteOffset, padded.byteLength),
  length,
});

/**
 * Reads `dims` numbers that follow a "[" into `rows` from `start` on.
 * @param from position after the "["
 * @returns position after the closing "]", or -1 when there is anything but a JSON array of exactly `dims` numbers
 */
export function readNumberRow(
  { bytes, view }: BodyBytes,
  from: number,
  rows: Float32Array,
  start: number,
  dims: number,
): number {
  let at = from;
  for (let i = 0; i < dims; i++) {
    let byte = bytes[at]!;
    while (isSpace(byte)) byte = bytes[++at]!;
    const numberStart = at;
    const negative = byte === MINUS;
    if (negative) byte = bytes[++at]!;
    if (!isDigit(byte)) return -1;

    // Significant digits go into two halves of eight; `exponent` is what the gathered integer is to be scaled by.
    let high = 0;
    let low = 0;
    let gathered = 0; // digits in the halves, leading zeros not among them
    let exponent = 0;
    if (byte === ZERO) {
      byte = bytes[++at]!;
      if (isDigit(byte)) return -1; // JSON has no leading zeros
    } else {
      do {
        if (gathered < HALF_DIGITS) high = high * 10 + (byte - ZERO);
        else if (gathered < 2 * HALF_DIGITS) low = low * 10 + (byte - ZERO);
        else exponent++;
        gathered++;
        byte = bytes[++at]!;
      } while (isDigit(byte));
    }
    if (byte === POINT) {
      byte = bytes[++at]!;
      if (!isDigit(byte)) return -1;
      if (gathered === 0) {
        while (byte === ZERO) {
          exponent--;
          byte = bytes[++at]!;
        }
        // The usual number of an embedding, 0.0123456: its digits by fours.
        let four = fourDigits(view.getInt32(at, true));
        if (four >= 0) {
          high = four;
          gathered = 4;
          at += 4;
          four = fourDigits(view.getInt32(at, true));
          if (four >= 0) {
            high = high * 10_000 + four;
            gathered = 8;
            at += 4;
            four = fourDigits(view.getInt32(at, true));
            if (four >= 0) {
              low = four;
              gathered = 12;
              at += 4;
              four = fourDigits(view.getInt32(at, true));
              if (four >= 0) {
                low = low * 10_000 + four;
                gathered = 16;
                at += 4;
              }
            }
          }
          exponent -= gathered;
          byte = bytes[at]!;
        }
      }
      while (isDigit(byte)) {
        if (gathered < HALF_DIGITS) {
          high = high * 10 + (byte - ZERO);
          exponent--;
        } else if (gathered < 2 * HALF_DIGITS) {
          low = low * 10 + (byte - ZERO);
          exponent--;
        }
        gathered++;
        byte = bytes[++at]!;
      }
    }
    if (byte === 101 || byte === 69) {
      byte = bytes[++at]!;
      const down = byte === MINUS;
      if (down || byte === 43) byte = bytes[++at]!;
      if (!isDigit(byte)) return -1;
      let written = 0;
      do {
        if (written < 10_000) written = written * 10 + (byte - ZERO);
        byte = bytes[++at]!;
      } while (isDigit(byte));
      exponent += down ? -written : written;
    }

    const digits = gathered <= HALF_DIGITS ? high : high * POWERS_OF_TEN[Math.min(gathered, 16) - HALF_DIGITS]! + low;
    let value: number;
    if (exponent < -22 || exponent > 22) value = Number(bytes.toString("latin1", numberStart, at));
    else {
      const near = exponent < 0 ? digits / POWERS_OF_TEN[-exponent]! : digits * POWERS_OF_TEN[exponent]!;
      value = negative ? -near : near;
      if (Math.fround(near * (1 - ERROR_BOUND)) !== Math.fround(near * (1 + ERROR_BOUND))) {
        value = Number(bytes.toString("latin1", numberStart, at));
      }
    }
    rows[start + i] = value;

    while (isSpace(byte)) byte = bytes[++at]!;
    if (byte === COMMA) {
      if (i === dims - 1) return -1;
    } else if (byte !== BRACKET_END || i < dims - 1) return -1;
    at++;
  }
  return at;
}

/**
 * Value of four ASCII digits read as one little-endian word (signed, as the engine likes it best), or -1 when one of them is no digit. Each step joins neighbours:
 * tens and ones, then hundreds and the rest.
 */
function fourDigits(word: number): number {
  if ((word & 0xf0f0f0f0) !== 0x30303030 || ((word + 0x06060606) & 0xf0f0f0f0) !== 0x30303030) return -1;
  const ones = word & 0x0f0f0f0f;
  const pairs = ones * 10 + (ones >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}
