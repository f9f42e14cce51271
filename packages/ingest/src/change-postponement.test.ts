import { describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import { decidePostponement, waitAfterMs, whyGivenUp } from "./change-postponement.js";

const away = new EmbError("EMB_PROVIDER_UNAVAILABLE", "away", { hint: "-" });
const wrong = new EmbError("EMB_SEAL_MISMATCH", "wrong", { hint: "-" });
const refused = new EmbError("EMB_PROVIDER_REJECTED", "refused", { hint: "-" });
const bug = new TypeError("cannot read the secret");
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
    ["the provider is away", { error: away, aborted: false }, { isolate: false, waitMs: 8_000, rethrow: false }],
    ["the namespace is another", { error: wrong, aborted: false }, { isolate: false, waitMs: 8_000, rethrow: true }],
    ["a text may be to blame", { error: refused, aborted: false }, { isolate: true, waitMs: 8_000, rethrow: true }],
    ["nobody knows the error", { error: bug, aborted: false }, { isolate: true, waitMs: 8_000, rethrow: true }],
    ["the process is told to stop", { error: bug, aborted: true }, { isolate: false, waitMs: 0, rethrow: true }],
  ])("when %s", (_name, failed, decision) => {
    expect(decidePostponement({ changes, ...failed })).toEqual(decision);
  });

  it("is given up with a reason that does not quote it", () => {
    expect(whyGivenUp(refused)).toEqual({ code: "EMB_PROVIDER_REJECTED", reason: "refused" });
    expect(whyGivenUp(bug)).toEqual({ code: "EMB_INTERNAL", reason: "TypeError" });
    expect(whyGivenUp("?")).toEqual({ code: "EMB_INTERNAL", reason: "unknown" });
  });
});
