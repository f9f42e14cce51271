import { fingerprint, spaceId } from "./fingerprint.js";
import { MAX_DIMS } from "./manifest-schema.js";
import { namespaceSuffix } from "./namespace.js";
import type { Capabilities, NamespaceMode, Profile } from "./profile.js";

/** What the target has to fit, beside the vectors themselves. */
export interface CompatibilityNeeds {
  /** Mode in which both would live beside one base. Default: profile. */
  readonly mode?: NamespaceMode;
  /** Most dims the store holds. Default: MAX_DIMS. */
  readonly maxDims?: number;
  /** Capabilities that the config uses, for example `supportsSparse` for hybrid search. Default: none. */
  readonly capabilities?: readonly (keyof Capabilities)[];
  /** True when witnesses embedded with both profiles were compared and agree (`--prove`). Default: false. */
  readonly spaceProved?: boolean;
}

/**
 * REUSE: the vectors of one serve the other. REEMBED: they do not, and a fill makes new ones. REFUSE: the target cannot
 * be filled here. `reasons` is never empty.
 */
export interface Compatibility {
  readonly result: "REUSE" | "REEMBED" | "REFUSE";
  readonly reasons: readonly string[];
}

/** Whether the vectors of `from` can serve `to`. Pure; in doubt it is REEMBED, and equal dims never mean REUSE. */
export function decideCompatibility(from: Profile, to: Profile, needs: CompatibilityNeeds = {}): Compatibility {
  const refusals = refusalReasons(from, to, needs);
  if (refusals.length > 0) return { result: "REFUSE", reasons: refusals };
  if (fingerprint(from) === fingerprint(to)) return { result: "REUSE", reasons: ["equal fingerprint"] };
  const differing = differences(from, to);
  if (needs.spaceProved === true && from.dims === to.dims) {
    return {
      result: "REUSE",
      reasons: ["equal vector space, proved by witnesses; the fingerprints differ", ...differing],
    };
  }
  if (spaceId(from) === spaceId(to)) {
    return {
      result: "REEMBED",
      reasons: ["equal space id, not proved by witnesses (--prove); the fingerprints differ", ...differing],
    };
  }
  return { result: "REEMBED", reasons: differing };
}

function refusalReasons(from: Profile, to: Profile, needs: CompatibilityNeeds): string[] {
  const { mode = "profile", maxDims = MAX_DIMS, capabilities = [] } = needs;
  const reasons: string[] = [];
  if (to.dims > maxDims) reasons.push(`${to.name} has ${to.dims} dims, the store holds at most ${maxDims}`);
  const missing = capabilities.filter((capability) => !to.capabilities[capability]);
  for (const capability of missing) reasons.push(`the config needs ${snake(capability)}, which ${to.name} lacks`);
  if (fingerprint(from) !== fingerprint(to) && namespaceSuffix(from, mode) === namespaceSuffix(to, mode)) {
    const place = mode === "none" ? "the base itself" : `the suffix "${namespaceSuffix(to, mode)}"`;
    reasons.push(`seal conflict: in namespace mode ${mode} both profiles live at ${place}`);
  }
  return reasons;
}

/** Every field of the fingerprint that differs, as `field: from -> to`. */
function differences(from: Profile, to: Profile): string[] {
  const [a, b] = [facts(from), facts(to)];
  return Object.keys(a)
    .filter((field) => a[field] !== b[field])
    .map((field) => `${field}: ${a[field] ?? "none"} -> ${b[field] ?? "none"}`);
}

const facts = (profile: Profile): Record<string, string | number | boolean | null> => ({
  model_id: profile.modelId,
  revision: profile.revision,
  version: profile.version,
  dims: profile.dims,
  normalized_output: profile.capabilities.normalizedOutput,
  pooling: profile.pooling,
  precision: profile.precision,
  "tasks.document": profile.tasks.document,
  "tasks.query": profile.tasks.query,
  "prompts.document": JSON.stringify(profile.prompts.document),
  "prompts.query": JSON.stringify(profile.prompts.query),
  provider: profile.provider,
  similarity: profile.similarity,
  storage: profile.storage,
  "tokenizer.backend": profile.tokenizer.backend,
  "tokenizer.model_id": profile.tokenizer.modelId,
  max_input_tokens: profile.limits.maxInputTokens,
});

const snake = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
