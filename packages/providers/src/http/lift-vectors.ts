import { readNumberRow, type BodyBytes } from "./number-rows.js";
import { base64Digits, base64Length, type VectorRows } from "./vector-rows.js";

const QUOTE = 34;
const BACKSLASH = 92;
const BRACKET = 91;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/**
 * Takes the vectors out of a JSON body: each goes into `rows` as it is met, and its number takes its place in the document
 * that is returned. A vector is a text of base64 of exactly one row, or a list of exactly `rows.dims` numbers; everything
 * else stays as it is, so a schema sees what is wrong with it.
 *
 * The body is scanned once and only its skeleton is parsed as JSON. Where something looks like a vector and is none, the
 * whole body is parsed instead.
 * @throws SyntaxError when the body is not JSON
 */
export function liftVectors(body: BodyBytes, rows: VectorRows): unknown {
  const skeleton = scanSkeleton(body, rows);
  if (skeleton !== null) return JSON.parse(skeleton);
  rows.clear();
  const parsed: unknown = JSON.parse(body.bytes.toString("utf8", 0, body.length));
  return liftParsed(parsed, rows);
}

/** @returns the document with the vectors replaced, or null when it has an unusual shape; `rows` may then hold rows already */
function scanSkeleton(body: BodyBytes, rows: VectorRows): string | null {
  const { bytes, length } = body;
  const { dims } = rows;
  const textLength = base64Length(dims);
  const digits = base64Digits(dims);
  let skeleton = "";
  let pending = 0; // start of what is not in the skeleton yet
  let at = 0;
  while (at < length) {
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      const start = at + 1;
      const end = start + textLength;
      if (end < length && bytes[end] === QUOTE && rows.writeBase64(bytes.toString("latin1", start, end))) {
        skeleton += bytes.toString("utf8", pending, at) + rows.keep();
        at = end + 1;
        pending = at;
      } else {
        at = endOfText(bytes, start, length);
        if (at - start > digits) return null; // perhaps a vector in another dress
      }
    } else if (byte === BRACKET && beginsNumber(bytes, at + 1)) {
      const start = rows.next;
      if (start < 0) return null;
      const end = readNumberRow(body, at + 1, rows.numbers, start, dims);
      if (end < 0) return null;
      skeleton += bytes.toString("utf8", pending, at) + rows.keep();
      at = end;
      pending = at;
    } else at++;
  }
  return skeleton + bytes.toString("utf8", pending, length);
}

function beginsNumber(bytes: Buffer, from: number): boolean {
  let at = from;
  while (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 13 || bytes[at] === 9) at++;
  const byte = bytes[at]!;
  return byte === MINUS || (byte >= ZERO && byte <= NINE);
}

/** @returns position after the quote that ends a text, or `length` when none does */
function endOfText(bytes: Buffer, start: number, length: number): number {
  for (let at = start; at < length; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  return length;
}

/** The slow way: over the parsed document. Slots are given in the document's order, as in the scan. */
function liftParsed(value: unknown, rows: VectorRows): unknown {
  if (typeof value === "string") {
    return rows.writeBase64(value) ? rows.keep() : value;
  }
  if (Array.isArray(value)) {
    const numbers: readonly unknown[] = value;
    if (numbers.length === rows.dims && numbers.every((item): item is number => typeof item === "number")) {
      const start = rows.next;
      if (start < 0) return value;
      rows.numbers.set(numbers, start);
      return rows.keep();
    }
    return numbers.map((item) => liftParsed(item, rows));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, liftParsed(item, rows)]));
}
