import { endianness } from "node:os";
import { EmbError, type Similarity, type Storage } from "@emb/manifest";
import { toHalf } from "./half-float.js";

/** What every vector of a namespace must be. */
export interface VectorShape {
  readonly dims: number;
  readonly storage: Storage;
  readonly similarity: Similarity;
}

/** Bytes of pgvector's binary form: two int16 (dims, unused), then the numbers, big-endian. Source: pgvector vector_recv, halfvec_recv. */
export const vectorBytes = ({ dims, storage }: VectorShape): number => 4 + dims * (storage === "vector" ? 4 : 2);

const IS_LITTLE_ENDIAN = endianness() === "LE";

const invalid = (message: string, dims: number) =>
  new EmbError("EMB_VECTOR_INVALID", message, {
    hint: "Check the provider: compare the profile's model and dims with its documentation.",
    context: { dims },
  });

/**
 * Wrong dims and numbers that are not finite are refused always, and so is a vector of only zeros where the angle counts: it has none, and
 * the index would leave it out in silence.
 * @throws EmbError EMB_VECTOR_INVALID
 */
export function checkVector(shape: VectorShape, vector: Float32Array, whose: string): void {
  checkDims(shape, vector, whose);
  const sum = sumOfSquares(vector);
  if (!Number.isFinite(sum)) throw notFinite(shape, whose);
  if (sum === 0) checkDirection(shape, whose);
}

/** Finite when every component is, and 0 when every one is 0: in a double the square of a float32 neither overflows nor vanishes. */
function sumOfSquares(vector: Float32Array): number {
  // four sums side by side: one alone waits for its own last addition
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = vector.length - (vector.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += vector[i]! * vector[i]!;
    b += vector[i + 1]! * vector[i + 1]!;
    c += vector[i + 2]! * vector[i + 2]!;
    d += vector[i + 3]! * vector[i + 3]!;
  }
  for (let i = whole; i < vector.length; i++) a += vector[i]! * vector[i]!;
  return a + b + (c + d);
}

/** Checks the vector as `checkVector` does and writes it, in one pass. @throws EmbError EMB_VECTOR_INVALID */
export function writeVector(
  shape: VectorShape,
  vector: Float32Array,
  whose: () => string,
  target: { view: DataView; at: number },
): void {
  if (vector.length !== shape.dims) checkDims(shape, vector, whose());
  const { view } = target;
  let { at } = target;
  view.setInt16(at, shape.dims);
  view.setInt16(at + 2, 0);
  at += 4;
  let any = false;
  let broken = false;
  if (shape.storage === "vector") {
    const sum = sumOfSquares(vector);
    any = sum !== 0;
    broken = !Number.isFinite(sum);
    // copied whole and turned round in place: a fifth of the time of writing number by number
    const bytes = Buffer.from(view.buffer, view.byteOffset + at, vector.byteLength);
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
    if (IS_LITTLE_ENDIAN) bytes.swap32();
  } else {
    for (let i = 0; i < vector.length; i++) {
      const half = toHalf(vector[i]!);
      if ((half & 0x7fff) !== 0) any = true;
      if ((half & 0x7c00) === 0x7c00) broken = true;
      view.setUint16(at, half);
      at += 2;
    }
  }
  if (broken) throw notFinite(shape, whose());
  if (!any) checkDirection(shape, whose());
}

/** A vector as `vector_send` gave it. */
export function readVector(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vector = new Float32Array(view.getUint16(0));
  for (let i = 0; i < vector.length; i++) vector[i] = view.getFloat32(4 + 4 * i);
  return vector;
}

/** A vector as a statement's parameter. */
export const vectorText = (vector: Float32Array): string => `[${vector.join(",")}]`;

/** The same in binary form: a fifth of the bytes, and nothing to read digits of. @throws EmbError EMB_VECTOR_INVALID */
export function vectorBinary(shape: VectorShape, vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vectorBytes(shape));
  writeVector(shape, vector, () => "query", { view: new DataView(bytes.buffer), at: 0 });
  return bytes;
}

function checkDims(shape: VectorShape, vector: Float32Array, whose: string): void {
  if (vector.length === shape.dims) return;
  throw invalid(`${whose}: expected ${shape.dims} dims, got ${vector.length}`, vector.length);
}

function checkDirection(shape: VectorShape, whose: string): void {
  if (shape.similarity !== "cosine") return;
  throw invalid(`${whose}: expected a direction, got a vector of ${shape.dims} zeros (similarity cosine)`, shape.dims);
}

const notFinite = (shape: VectorShape, whose: string) =>
  invalid(
    `${whose}: expected finite numbers${shape.storage === "halfvec" ? " of at most 65,504 (storage halfvec)" : ""}, got another`,
    shape.dims,
  );
