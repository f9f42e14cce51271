import type { Problem } from "./errors.js";
import { WrittenManifest, type WrittenProfile } from "./manifest-schema.js";
import { slug, suffixCollisions } from "./namespace.js";
import { nearest } from "./nearest.js";
import type { NamespaceMode, Profile } from "./profile.js";
import { resolveProvider } from "./provider-names.js";
import { byPlace, readYaml, type Locate } from "./yaml-document.js";

export interface Manifest {
  /** As written; null when the file names none. */
  readonly default: string | null;
  /** The default, else the first profile: what an environment runs that names no profile. */
  readonly baseline: string;
  /** In the order of the file. */
  readonly profiles: ReadonlyMap<string, Profile>;
}

export type ManifestReading =
  | { readonly ok: true; readonly manifest: Manifest; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

export interface ParseManifestOptions {
  /** Name of the file in problems. */
  readonly file: string;
  /** Addresses by profile name that beat the manifest's own `service_url`. */
  readonly serviceUrls?: Readonly<Record<string, string>>;
  /** Warn about suffix collisions of this mode only; without it about those of every mode. */
  readonly namespaceMode?: NamespaceMode;
}

/**
 * Checks a manifest and fills in its defaults. Every problem at once, with its line and column. Never throws. Profiles whose
 * suffixes collide in mode profile are a problem; in modes version and model, which a user may not run in, a warning.
 */
export function parseManifest(text: string, options: ParseManifestOptions): ManifestReading {
  const { file, serviceUrls = {}, namespaceMode } = options;
  const { value, raw, problems, at } = readYaml(text, {
    file,
    schema: WrittenManifest,
    invalid: "EMB_MANIFEST_INVALID",
  });
  const names = profileNames(raw);
  const wrong = [...problems, ...unknownDefault(raw, names, at), ...nameCollisions(names, at)].toSorted(byPlace);
  if (value === null || wrong.length > 0) return { ok: false, problems: wrong, warnings: [] };

  const profiles = new Map(
    Object.entries(value.profiles).map(([name, written]) => [name, effective(name, written, serviceUrls[name])]),
  );
  const manifest: Manifest = { default: value.default ?? null, baseline: value.default ?? names[0] ?? "", profiles };
  const modes = (["version", "model"] as const).filter((mode) => (namespaceMode ?? mode) === mode);
  return { ok: true, manifest, warnings: modes.flatMap((mode) => suffixWarnings(profiles, mode, at)) };
}

function effective(name: string, written: WrittenProfile, serviceUrl: string | undefined): Profile {
  const { capabilities, limits, tokenizer } = written;
  return {
    name,
    description: written.description ?? "",
    provider: resolveProvider(written.provider) ?? written.provider,
    modelId: written.model_id,
    version: written.version ?? written.model_id,
    revision: written.revision ?? null,
    dims: written.dims,
    similarity: written.similarity,
    // A `vector` over 2,000 dims has no HNSW index in pgvector; a `halfvec` has one up to 4,000.
    storage: written.storage ?? (written.dims > 2000 && written.dims <= 4000 ? "halfvec" : "vector"),
    precision: written.precision ?? null,
    pooling: written.pooling ?? null,
    task: written.task ?? null,
    tasks: { query: written.tasks?.query ?? null, document: written.tasks?.document ?? null },
    prompts: { query: written.prompts?.query ?? "", document: written.prompts?.document ?? "" },
    tokenizer: { backend: tokenizer.backend, modelId: tokenizer.model_id ?? written.model_id },
    capabilities: {
      supportsDense: capabilities.supports_dense,
      supportsSparse: capabilities.supports_sparse,
      supportsColbert: capabilities.supports_colbert,
      supportsLongSequences: capabilities.supports_long_sequences,
      normalizedOutput: capabilities.normalized_output,
      multilingual: capabilities.multilingual,
    },
    requirements: written.requirements,
    limits: {
      maxInputTokens: limits.max_input_tokens,
      maxBatchItems: limits.max_batch_items ?? null,
      maxBatchTokens: limits.max_batch_tokens ?? null,
      requestsPerMinute: limits.requests_per_minute ?? null,
      tokensPerMinute: limits.tokens_per_minute ?? null,
    },
    serviceUrl: serviceUrl ?? written.service_url ?? null,
    pricePerMillionTokens: written.price_per_million_tokens ?? null,
    sunset: written.sunset ?? null,
  };
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const profileNames = (raw: unknown): string[] =>
  isMapping(raw) && isMapping(raw["profiles"]) ? Object.keys(raw["profiles"]) : [];

function unknownDefault(raw: unknown, names: readonly string[], at: Locate): Problem[] {
  const named = isMapping(raw) ? raw["default"] : undefined;
  if (typeof named !== "string" || names.includes(named)) return [];
  const near = nearest(named, names);
  return [
    {
      code: "EMB_PROFILE_UNKNOWN",
      message: `default: no profile is called "${named}"`,
      hint: near === null ? `Name one of: ${names.join(", ")}.` : `Did you mean "${near}"?`,
      ...at(["default"]),
    },
  ];
}

function nameCollisions(names: readonly string[], at: Locate): Problem[] {
  const first = new Map<string, string>();
  return names.flatMap((name): Problem[] => {
    const suffix = slug(name);
    const other = first.get(suffix);
    if (other === undefined) {
      first.set(suffix, name);
      return [];
    }
    return [
      {
        code: "EMB_NAMESPACE_COLLISION",
        message: `profiles.${name}: has the namespace suffix "${suffix}", as "${other}" has`,
        hint: "Rename one of the two profiles.",
        ...at(["profiles", name], "key"),
      },
    ];
  });
}

const suffixWarnings = (profiles: ReadonlyMap<string, Profile>, mode: "version" | "model", at: Locate): Problem[] =>
  suffixCollisions(profiles.values(), mode).map(({ suffix, profiles: names }) => {
    const last = names.at(-1) ?? "";
    const key = mode === "version" ? "version" : "model_id";
    return {
      code: "EMB_NAMESPACE_COLLISION",
      message: `${names.join(", ")} share the namespace suffix "${suffix}" in namespace mode ${mode}`,
      hint: `Keep to one of them in mode ${mode}, or use mode profile.`,
      ...at(["profiles", last, key]),
    };
  });
