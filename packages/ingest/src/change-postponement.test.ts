import { describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import { decidePostponement, waitAfterMs } from "./change-postponement.js";

const away = new EmbError("EMB_PROVIDER_UNAVAILABLE", "away", { hint: "-" });
const wrong = new EmbError("EMB_SEAL_MISMATCH", "wrong", { hint: "-" });
const changes = [{ attempts: 0 }, { attempts: 3 }];

describe("a change that cannot be shown now", () => {
  it.each([
    [0, 1_000],
    [1, 2_000],
    [5, 32_000],
    [6, 60_000],
    [7, 60_000],
    [1_000_000, 60_000],
  ])("after %i attempts waits %i ms", (attempts, waitMs) => {
    expect(waitAfterMs(attempts)).toBe(waitMs);
  });

  it.each([
    ["the provider is away", { error: away, aborted: false }, { waitMs: 8_000, rethrow: false }],
    ["waiting does not help", { error: wrong, aborted: false }, { waitMs: 8_000, rethrow: true }],
    ["nobody knows the error", { error: new TypeError("?"), aborted: false }, { waitMs: 8_000, rethrow: true }],
    ["the process is told to stop", { error: away, aborted: true }, { waitMs: 0, rethrow: true }],
  ])("when %s", (_name, failed, decision) => {
    expect(decidePostponement({ changes, ...failed })).toEqual(decision);
  });
});
