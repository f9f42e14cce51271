import * as fc from "fast-check";
import { expect, it } from "vitest";
import { decideGate } from "./override-gate.js";

const name = fc.constantFrom("jina_v3", "bge_m3", "st_minilm", "nowhere");
const flag = fc.option(fc.oneof(name, fc.string()), { nil: undefined });
const environment = fc.oneof(
  fc.constantFrom("development", "dev", "test", "staging", "production"),
  fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/),
);
const input = fc.record({
  environment,
  baseline: name,
  requested: flag,
  swappable: fc.boolean(),
  experiment: flag,
  known: fc.subarray(["jina_v3", "bge_m3", "st_minilm"]),
});

it("never runs an override in a guarded environment that no rule permits", () => {
  fc.assert(
    fc.property(input, (asked) => {
      fc.pre(!["development", "dev", "test"].includes(asked.environment));
      const decision = decideGate(asked);
      const permitted = asked.swappable || asked.experiment === asked.requested;
      if (!permitted && decision.kind !== "refused") expect(decision.profile).toBe(asked.baseline);
      if (decision.kind === "override") expect(permitted).toBe(true);
    }),
  );
});

it("never runs a profile that the manifest lacks, nor any but the baseline and the requested one", () => {
  fc.assert(
    fc.property(input, (asked) => {
      const decision = decideGate(asked);
      if (decision.kind === "refused") return;
      expect(asked.known).toContain(decision.profile);
      expect(asked.known).toContain(asked.baseline);
      expect([asked.baseline, asked.requested]).toContain(decision.profile);
    }),
  );
});

it("does not depend on the letter case of the environment", () => {
  const cased = environment.chain((lower) => fc.mixedCase(fc.constant(lower)).map((mixed) => ({ lower, mixed })));
  fc.assert(
    fc.property(input, cased, (asked, { lower, mixed }) => {
      expect(decideGate({ ...asked, environment: mixed })).toEqual(decideGate({ ...asked, environment: lower }));
    }),
  );
});
