import { EmbError } from "./errors.js";
import type { NamespaceMode, Profile } from "./profile.js";
import { sha256 } from "./sha256.js";

export const NAMESPACE_MODES = ["none", "profile", "version", "model"] as const satisfies readonly NamespaceMode[];

/** Bytes. PostgreSQL cuts names at 63; the rest is room for what the store puts before or after a namespace. */
export const MAX_NAMESPACE_LENGTH = 55;

const BASE = /^[A-Za-z0-9][A-Za-z0-9_-]*$/; // ASCII only, so that characters are bytes

const hash = (length: number, ...parts: string[]) => sha256(parts.join("\0")).slice(0, length);

/**
 * Lower case; every run of other characters than a-z and 0-9 becomes one `_`; none at the ends. Idempotent. A text without
 * any such character gets a stable hash, because an empty suffix would mean mode none.
 */
export function slug(text: string): string {
  const clean = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_|_$/g, "");
  return clean === "" ? `x${hash(8, text)}` : clean;
}

/** What `mode` puts behind the base for this profile; empty in mode none. */
export function namespaceSuffix(profile: Pick<Profile, "name" | "version" | "modelId">, mode: NamespaceMode): string {
  const sources = { none: null, profile: profile.name, version: profile.version, model: profile.modelId };
  const source = sources[mode];
  return source === null ? "" : slug(source);
}

export interface NamespaceName {
  /** As given. The catalogue's key is (base, suffix); `namespace` alone is ambiguous by design. */
  readonly base: string;
  readonly suffix: string;
  /** `<base>_<suffix>`, or `<base>` without a suffix; at most `maxLength` bytes. */
  readonly namespace: string;
}

/**
 * The namespace of a base for a profile. Idempotent: a base that already carries this suffix, or is a shortened name made
 * by this function for this suffix, is left as it is. A name over `maxLength` bytes keeps its beginning and ends in a
 * stable hash.
 * @throws EmbError EMB_USAGE for a base with anything else than ASCII letters, digits, `_` and `-`
 */
export function namespaceName(input: {
  base: string;
  profile: Pick<Profile, "name" | "version" | "modelId">;
  mode: NamespaceMode;
  maxLength?: number;
}): NamespaceName {
  const { profile, mode, maxLength = MAX_NAMESPACE_LENGTH } = input;
  if (!BASE.test(input.base)) {
    throw new EmbError(
      "EMB_USAGE",
      "a base namespace is made of ASCII letters, digits, _ and -, and starts with a letter or digit",
      {
        hint: `Use a name such as "docs".`,
        context: { base: input.base.slice(0, 80) },
      },
    );
  }
  const suffix = namespaceSuffix(profile, mode);
  if (isShortened(input.base, suffix, maxLength)) return { base: input.base, suffix, namespace: input.base };
  const tail = suffix === "" ? "" : `_${suffix}`;
  const carries = tail !== "" && input.base.endsWith(tail) && input.base.length > tail.length;
  const base = carries ? input.base.slice(0, -tail.length) : input.base;
  const full = base + tail;
  return {
    base: input.base,
    suffix,
    namespace: full.length <= maxLength ? full : shorten(full, base, suffix, maxLength),
  };
}

const TAIL = 13; // `_`, eight digits that tell names apart, four by which a shortened name is known again

function shorten(full: string, base: string, suffix: string, maxLength: number): string {
  const start = `${full.slice(0, maxLength - TAIL)}_${hash(8, base, suffix)}`;
  return start + hash(4, start, suffix);
}

const isShortened = (name: string, suffix: string, maxLength: number): boolean =>
  name.length === maxLength && name.at(-TAIL) === "_" && name.slice(-4) === hash(4, name.slice(0, -4), suffix);

/** Profiles that would share one suffix in `mode`, as groups of at least two names in manifest order. None in mode none. */
export function suffixCollisions(
  profiles: Iterable<Pick<Profile, "name" | "version" | "modelId">>,
  mode: NamespaceMode,
): readonly { readonly suffix: string; readonly profiles: readonly string[] }[] {
  if (mode === "none") return [];
  const groups = new Map<string, string[]>();
  for (const profile of profiles) {
    const suffix = namespaceSuffix(profile, mode);
    groups.set(suffix, [...(groups.get(suffix) ?? []), profile.name]);
  }
  return [...groups].filter(([, names]) => names.length > 1).map(([suffix, names]) => ({ suffix, profiles: names }));
}
