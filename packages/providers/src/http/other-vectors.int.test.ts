import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  closeAndCheck,
  failureOf,
  live,
  openHosted,
  smallProfile,
  textsOf,
  virtualWaiting,
  type Hosted,
} from "../../test/hosted.js";
import { startLoopback, type Loopback, type What } from "../../test/loopback.js";
import { sparseOf } from "../../test/loopback/vectors.js";

const MARKER = "marked";
const texts = textsOf(6).with(4, `the ${MARKER} text`);
const INVALID = "EMB_PROVIDER_RESPONSE_INVALID";

let loopback: Loopback;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterAll(() => loopback.close());

async function openSparse(protocol: "bge-m3-service" | "tei", what: What, times?: number): Promise<Hosted> {
  const { capabilities } = await smallProfile(protocol);
  const profile = await smallProfile(protocol, {
    capabilities: { ...capabilities, supportsSparse: true },
    prompts: { query: "", document: "" },
    limits: { maxBatchItems: 2 },
  });
  const hosted = await openHosted(loopback, protocol, profile, { tuning: virtualWaiting() });
  await hosted.service.play([{ what, when: { marker: MARKER }, ...(times !== undefined && { times }) }]);
  return hosted;
}

describe.each(["bge-m3-service", "tei"] as const)("sparse vectors of %s", (protocol) => {
  const hows = ["lengths", "doubled", "negative", "fraction", "nan-token", "null"] as const;
  it.for<What>([
    ...hows.map((how) => ({ kind: "sparse", how }) as const),
    { kind: "items", how: "drop" },
    { kind: "items", how: "double" },
    { kind: "truncated" },
    { kind: "body", body: "<html>" },
    { kind: "huge", bytes: 50_000_000 },
  ])("refuse %o", async (what, { skip }) => {
    if (protocol === "tei" && what.kind === "sparse" && what.how === "lengths")
      skip("its terms are pairs of index and value, which cannot differ in number");
    const hosted = await openSparse(protocol, what);
    expect(await failureOf(hosted.provider.sparse!.embedDocuments(texts, live))).toMatchObject({ code: INVALID });
    await closeAndCheck(hosted);
  });

  it.each<[string, What, number?]>([
    ["terms in any order", { kind: "sparse", how: "unordered" }],
    ["a service that is away for a moment", { kind: "status", status: 503 }, 1],
    ["a service that is busy for a moment", { kind: "status", status: 429 }, 1],
    ["a batch that is refused as a whole", { kind: "status", status: 413 }, 1],
    [
      "unusual JSON",
      { kind: "style", style: { whitespace: true, exponents: true, extraFields: true }, chunkBytes: 13 },
    ],
  ])("are right with %s", async (_, what, times) => {
    const hosted = await openSparse(protocol, what, times);
    const { indices, values, offsets } = await hosted.provider.sparse!.embedDocuments(texts, live);
    const rows = texts.map((_text, i) => ({
      indices: [...indices.subarray(offsets[i], offsets[i + 1])],
      values: [...values.subarray(offsets[i], offsets[i + 1])],
    }));
    expect(rows).toEqual(texts.map(sparseOf));
    await closeAndCheck(hosted);
  });
});

describe("multi-vectors of bge-m3-service", () => {
  const hows = ["short", "long", "empty", "nan", "overflow", "null", "null-component", "zero", "number"] as const;
  it.each<What>([
    ...hows.map((how) => ({ kind: "vector", how }) as const),
    { kind: "items", how: "drop" },
    { kind: "items", how: "double" },
    { kind: "model", model: "another/model" },
    { kind: "truncated" },
    { kind: "huge", bytes: 80_000_000 },
  ])("refuse %o", async (what) => {
    const profile = await smallProfile("bge-m3-service", { limits: { maxBatchItems: 2 } });
    const hosted = await openHosted(loopback, "bge-m3-service", profile, { tuning: virtualWaiting() });
    await hosted.service.play([{ what, when: { marker: MARKER } }]);
    expect(await failureOf(hosted.provider.multiVector!.embedDocuments(texts, live))).toMatchObject({ code: INVALID });
    await closeAndCheck(hosted);
  });
});
