import { describe, expect, it } from "vitest";
import { profileOf } from "../profile.test-data.js";
import { DEFAULT_TUNING, PATIENT_QUERIES, type HttpTuning } from "./http-tuning.js";
import { createPacing, type PacedRequest } from "./pacing.js";

const live = new AbortController().signal;

function paced(
  limits: { requestsPerMinute: number | null; tokensPerMinute: number | null },
  waitMs = 0,
  { waitsInLine }: Pick<HttpTuning, "waitsInLine"> = DEFAULT_TUNING,
) {
  const asked: PacedRequest[] = [];
  const slept: number[] = [];
  const pacing = createPacing({
    profile: profileOf({ provider: "tei", modelId: "m", limits }),
    access: { origin: "http://here:1", path: "/v1" },
    pacer: { reserve: async (request) => (asked.push(request), waitMs) },
    tuning: { waitsInLine, sleep: async (ms) => void slept.push(ms) },
  });
  return { pacing, asked, slept };
}

const both = { requestsPerMinute: 60, tokensPerMinute: 900 };

describe("pacing", () => {
  it("is not there without a limit", () =>
    expect(paced({ requestsPerMinute: null, tokensPerMinute: null }).pacing).toBeNull());

  it("waits as long as it is told, under a key of provider, address and model", async () => {
    const { pacing, asked, slept } = paced(both, 250);
    await pacing!.wait("document", 40, live);
    expect(asked).toEqual([{ key: "tei http://here:1/v1 m", ...both, tokens: 40 }]);
    expect(slept).toEqual([250]);
  });

  it("counts a query and does not let it wait", async () => {
    const { pacing, asked, slept } = paced(both, 250);
    await pacing!.wait("query", 5, live);
    expect([asked.length, slept]).toEqual([1, []]);
  });

  it("lets a query wait that nobody waits for", async () => {
    const { pacing, asked, slept } = paced(both, 250, PATIENT_QUERIES);
    await pacing!.wait("query", 5, live);
    expect([asked.length, slept]).toEqual([1, [250]]);
  });

  it("makes up for what the service counted otherwise", async () => {
    const { pacing, asked } = paced(both);
    const tokens = async (expected: number, took: number | null) => {
      await pacing!.wait("document", expected, live);
      pacing!.took(expected, took);
      return asked.at(-1)!.tokens;
    };
    expect(await tokens(40, 50)).toBe(40);
    expect(await tokens(40, null)).toBe(50);
    expect(await tokens(40, 0)).toBe(40);
    expect(await tokens(10, 10)).toBe(0); // 40 too many were reserved: 30 are left over
    expect(await tokens(40, 40)).toBe(10);
  });
});
