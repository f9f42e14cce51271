import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Profile, Side } from "@emb/manifest";
import {
  closeAndCheck,
  expectRight,
  live,
  openHosted,
  shippedProfile,
  smallProfile,
  textsOf,
  wordTokenizers,
} from "../../test/hosted.js";
import { startLoopback, type Loopback } from "../../test/loopback.js";
import { PROTOCOL_IDS } from "../../test/loopback/protocols.js";
import { multiVectorOf, sparseOf } from "../../test/loopback/vectors.js";
import { DEFAULT_TUNING } from "../http/http-tuning.js";
import type { Sides } from "../provider.js";
import { providerContract, type ProviderFixtures } from "../testing/provider-contract.js";
import type { Hosted } from "../../test/hosted.js";

const SIDES: readonly Side[] = ["document", "query"];

const embed = <E>(sides: Sides<E>, side: Side, texts: readonly string[]): Promise<E> =>
  side === "query" ? sides.embedQueries(texts, live) : sides.embedDocuments(texts, live);

let loopback: Loopback;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterAll(() => loopback.close());

describe.each(PROTOCOL_IDS)("%s with its shipped profile", (protocol) => {
  let hosted: Hosted;
  let fixtures: ProviderFixtures;
  let profile: Profile;
  let tokenizers: Awaited<ReturnType<typeof wordTokenizers>>;

  beforeAll(async () => {
    profile = await shippedProfile(protocol);
    tokenizers = await wordTokenizers([profile.tokenizer.modelId]);
    const settings = { tuning: DEFAULT_TUNING, modelsDir: tokenizers.dir };
    hosted = await openHosted(loopback, protocol, profile, settings);
    // The prompt counts too. Both sides of the shipped profiles have prompts of equal length in words.
    const prompt = profile.prompts.document.split(" ").length - 1;
    const special = profile.tokenizer.backend === "tiktoken" ? 0 : 2;
    const atLimit = Array.from({ length: profile.limits.maxInputTokens - special - prompt }, () => "word").join(" ");
    fixtures = {
      texts: [...textsOf(5).toReversed(), "Bread."],
      atLimit,
      tooLong: `${atLimit} word`,
      open: async () => (await openHosted(loopback, protocol, profile, settings)).provider,
    };
  });
  afterAll(async () => {
    await closeAndCheck(hosted);
    await tokenizers.remove();
  });

  it.each(Object.entries(providerContract))("keeps the contract: %s", (_, check) => check(hosted.provider, fixtures));

  it("gives each text its own vector on both sides, in as few requests as the limits allow", async () => {
    await hosted.service.forget();
    const texts = textsOf(300);
    for (const side of SIDES) {
      expectRight(await embed(hosted.provider, side, texts), texts, hosted, side);
    }
    const { requests } = await hosted.service.report();
    const sizes = requests.filter(({ texts: sent }) => sent.length > 0).map(({ texts: sent }) => sent.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2 * texts.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(profile.limits.maxBatchItems ?? Infinity);
    expect(requests.map(({ acceptEncoding }) => acceptEncoding)).toEqual(requests.map(() => "identity"));
  });
});

describe.each(["bge-m3-service", "tei"] as const)("the sparse side of %s", (protocol) => {
  it("gives each text its own terms, rising", async () => {
    const { capabilities } = await shippedProfile(protocol);
    const profile = await smallProfile(protocol, { capabilities: { ...capabilities, supportsSparse: true } });
    const hosted = await openHosted(loopback, protocol, profile);
    const texts = textsOf(100);
    for (const side of SIDES) {
      const answer = await embed(hosted.provider.sparse!, side, texts);
      expect(answer.count).toBe(texts.length);
      const rows = texts.map((_, i) => ({
        indices: [...answer.indices.subarray(answer.offsets[i], answer.offsets[i + 1])],
        values: [...answer.values.subarray(answer.offsets[i], answer.offsets[i + 1])],
      }));
      expect(rows).toEqual(texts.map((text) => sparseOf(profile.prompts[side] + text)));
    }
    await closeAndCheck(hosted);
  });

  it("is not there when the profile does not say so", async () => {
    const { capabilities } = await shippedProfile(protocol);
    const profile = await smallProfile(protocol, { capabilities: { ...capabilities, supportsSparse: false } });
    const hosted = await openHosted(loopback, protocol, profile);
    expect(hosted.provider.sparse).toBeUndefined();
    await closeAndCheck(hosted);
  });
});

describe("the multi-vector side of bge-m3-service", () => {
  it("gives each text one vector for each of its words", async () => {
    const profile = await smallProfile("bge-m3-service");
    const hosted = await openHosted(loopback, "bge-m3-service", profile);
    const texts = textsOf(100);
    const answer = await hosted.provider.multiVector!.embedDocuments(texts, live);
    expect([answer.count, answer.dims]).toEqual([texts.length, profile.dims]);
    const rows = texts.map((_, i) => {
      const own = answer.vectors.subarray(answer.offsets[i]! * profile.dims, answer.offsets[i + 1]! * profile.dims);
      return [...own];
    });
    expect(rows).toEqual(texts.map((text) => multiVectorOf(text, profile.dims).flatMap((vector) => [...vector])));
    await closeAndCheck(hosted);
  });
});
