import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readHalfTensors, toFloat32 } from "./safetensors.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "emb-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(header: unknown, data: Uint8Array, headerBytes?: number): Promise<string> {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(headerBytes ?? text.length));
  const path = join(folder, "model.safetensors");
  await writeFile(path, Buffer.concat([length, text, data]));
  return path;
}
const tensor = (shape: number[], start: number, end: number, dtype = "F16") => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe("safetensors", () => {
  it("reads float16 tensors and leaves the others out", async () => {
    const header = { __metadata__: { format: "pt" }, ids: tensor([1], 0, 8, "I64"), w: tensor([1, 2], 8, 12) };
    const tensors = await readHalfTensors(await write(header, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3c, 0, 0xc0)));
    expect([...tensors.keys()]).toEqual(["w"]);
    expect(tensors.get("w")?.shape).toEqual([1, 2]);
    expect(toFloat32(tensors.get("w")!.bits)).toEqual(Float32Array.of(1, -2));
  });

  it.each([
    ["a header longer than the file", () => write({}, Uint8Array.of(), 1_000)],
    ["a header that is not JSON", () => write("{", Uint8Array.of())],
    ["a header of another shape", () => write({ w: [1] }, Uint8Array.of())],
    ["data that is cut off", () => write({ w: tensor([2], 0, 4) }, Uint8Array.of(0, 0))],
    ["offsets that do not fit the shape", () => write({ w: tensor([3], 0, 4) }, new Uint8Array(8))],
  ])("refuses %s", async (_, make) => {
    await expect(readHalfTensors(await make())).rejects.toMatchObject({ code: "EMB_MODEL_UNAVAILABLE" });
  });

  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7bff, 65_504],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])("float16 %i is %d", (half, value) => {
    expect(toFloat32(Uint16Array.of(half))).toEqual(Float32Array.of(value));
  });
});
