import { describe, expect, it } from "vitest";
import { liftVectors } from "./lift-vectors.js";
import { BODY_PADDING, bodyBytes } from "./number-rows.js";
import { base64Length, VectorRows } from "./vector-rows.js";

const DIMS = 16;
const vectors = [0, 1, 2].map((v) =>
  Float32Array.from({ length: DIMS }, (_, i) => Math.fround(Math.sin(v * DIMS + i))),
);
const base64 = (vector: Float32Array): string => Buffer.from(vector.buffer).toString("base64");
const list = (vector: Float32Array): string => JSON.stringify([...vector]);

function lift(text: string, maxRows = 3) {
  const length = Buffer.byteLength(text);
  const rows = new VectorRows(new Float32Array(3 * DIMS), DIMS, maxRows);
  const document = liftVectors(bodyBytes(Buffer.concat([Buffer.from(text)], length + BODY_PADDING), length), rows);
  return { document, rows: Array.from({ length: rows.count }, (_, i) => rows.numbers.slice(i * DIMS, (i + 1) * DIMS)) };
}

const item = (index: number, vector: string) => `{"index":${index},"embedding":${vector},"object":"embedding"}`;
const answer = (written: readonly string[]) =>
  `{"model":"m","data":[${written.map((v, i) => item(i, v)).join(",")}],"usage":{"tokens":7}}`;
const skeleton = {
  model: "m",
  data: [0, 1, 2].map((index) => ({ index, embedding: index, object: "embedding" })),
  usage: { tokens: 7 },
};

describe("liftVectors", () => {
  it.each([
    ["base64", vectors.map((v) => `"${base64(v)}"`)],
    ["base64 without its padding", vectors.map((v) => `"${base64(v).replace(/=+$/, "")}"`)],
    ["lists of numbers", vectors.map(list)],
    ["both mixed", vectors.map((v, i) => (i === 1 ? list(v) : `"${base64(v)}"`))],
    ["lists with white space", vectors.map((v) => JSON.stringify([...v], null, 2))],
    [
      "base64 with escapes that JSON allows",
      vectors.map((v) => `"${base64(v).replaceAll("/", "\\/").replaceAll("+", "\\u002b")}"`),
    ],
  ])("takes out %s", (_, written) => {
    expect(lift(answer(written))).toEqual({ document: skeleton, rows: vectors });
  });

  it("numbers the vectors in the order in which they stand", () => {
    const text = `[${item(2, list(vectors[2]!))},${item(0, `"${base64(vectors[0]!)}"`)}]`;
    const { document, rows } = lift(text);
    expect(document).toEqual([
      { index: 2, embedding: 0, object: "embedding" },
      { index: 0, embedding: 1, object: "embedding" },
    ]);
    expect(rows).toEqual([vectors[2], vectors[0]]);
  });

  it("takes out lists of lists, as some services answer", () => {
    expect(lift(`[${vectors.map(list).join(",")}]`)).toEqual({ document: [0, 1, 2], rows: vectors });
  });

  it("leaves everything else as it is", () => {
    const other = {
      text: 'a "quoted" \\ ü 漢 \u0000',
      list: [1, 2],
      empty: [],
      null: null,
      long: "x".repeat(200),
      deep: [[["a"]]],
    };
    expect(lift(JSON.stringify(other))).toEqual({ document: other, rows: [] });
    const mixed = `{"other":${JSON.stringify(other)},"embedding":${list(vectors[0]!)}}`;
    expect(lift(mixed)).toEqual({ document: { other, embedding: 0 }, rows: [vectors[0]] });
  });

  it.each([
    ["a list of other dims", JSON.stringify([...vectors[0]!, 1])],
    ["a list with null in it", JSON.stringify([...vectors[0]!.slice(1), null])],
    ["base64 of other dims", JSON.stringify(base64(vectors[0]!.slice(1)))],
    ["a text of the right length that is no base64", JSON.stringify("!".repeat(base64Length(DIMS)))],
  ])("leaves %s for the schema to refuse", (_, written) => {
    expect(lift(`{"embedding":${written}}`)).toEqual({ document: { embedding: JSON.parse(written) }, rows: [] });
  });

  it("leaves more vectors than were asked for", () => {
    const { document, rows } = lift(answer(vectors.map(list)), 2);
    expect(rows).toHaveLength(2);
    expect(document).toMatchObject({ data: [{ embedding: 0 }, { embedding: 1 }, { embedding: [...vectors[2]!] }] });
  });

  it("makes room when there are more rows than expected and they may be", () => {
    const rows = new VectorRows(new Float32Array(0), DIMS, 10);
    const text = `[${[...vectors, ...vectors].map(list).join(",")}]`;
    const body = bodyBytes(Buffer.concat([Buffer.from(text)], text.length + BODY_PADDING), text.length);
    expect(liftVectors(body, rows)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(rows.numbers.slice(5 * DIMS, 6 * DIMS)).toEqual(vectors[2]);
  });

  it.each([
    "",
    "<html></html>",
    '{"data":[{"embedding":"',
    `{"e":${list(vectors[0]!)}`,
    '{"a":NaN}',
    `[${list(vectors[0]!)},]`,
  ])("is a SyntaxError for %s", (text) => {
    expect(() => lift(text)).toThrow(SyntaxError);
  });
});
