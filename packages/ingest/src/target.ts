import { EmbError, fingerprint, type NamespaceMode, type Profile } from "@emb/manifest";
import { WHOLE_TEXTS } from "./whole-texts.js";
import type { NamespaceAddress, NamespaceRecord } from "@emb/store";

export type TargetDecision =
  | { readonly kind: "create" }
  | { readonly kind: "reuse"; readonly record: NamespaceRecord }
  | { readonly kind: "refused"; readonly error: EmbError };

/**
 * Whether a run may write to this namespace. Pure, so that a plan asks it before anything is embedded; the store holds the same rules when the
 * namespace is made.
 * @param base every namespace of the base that is not retired
 */
export function decideTarget(input: {
  address: NamespaceAddress;
  profile: Profile;
  chunkerId: string;
  base: readonly NamespaceRecord[];
  baseMode: NamespaceMode | null;
}): TargetDecision {
  const { address, profile, chunkerId, base, baseMode } = input;
  const refuse = (code: ConstructorParameters<typeof EmbError>[0], message: string, hint: string): TargetDecision => ({
    kind: "refused",
    error: new EmbError(code, message, { hint, context: { namespace: address.namespace, profile: profile.name } }),
  });
  const taken = base.find(({ suffix, state }) => suffix === address.suffix && state !== "retired");

  if (baseMode !== null && baseMode !== address.mode)
    return refuse(
      "EMB_NAMESPACE_MODE_MISMATCH",
      `base ${address.base}: expected namespace mode ${baseMode}, with which it was made, got ${address.mode}`,
      `Set EMBEDDING_NAMESPACE_MODE=${baseMode}, or use another base: --base NAME.`,
    );
  if (taken === undefined) return { kind: "create" };

  const want = fingerprint(profile);
  const { seal } = taken;
  if (seal.fingerprint !== want) {
    const seen = `expected fingerprint ${want.slice(0, 12)} (profile ${profile.name}), seen ${seal.fingerprint.slice(0, 12)} (profile ${seal.profile})`;
    if (address.mode === "none" && seal.profile !== profile.name)
      return refuse(
        "EMB_NAMESPACE_OCCUPIED",
        `namespace ${address.namespace}: in namespace mode none a base holds one profile; ${seen}`,
        "Choose a way on: EMBEDDING_NAMESPACE_MODE=profile with a new base, another base (--base NAME), or retire this namespace first.",
      );
    return refuse(
      "EMB_SEAL_MISMATCH",
      `namespace ${address.namespace}: ${seen}`,
      seal.profile === profile.name
        ? "The profile changed under its name: give the changed one a new profile name in the manifest, and re-ingest that."
        : "Two profiles share this suffix: choose EMBEDDING_NAMESPACE_MODE=profile with a new base, or another base (--base NAME).",
    );
  }
  if (seal.chunkerId !== chunkerId && seal.chunkerId !== WHOLE_TEXTS.id)
    return refuse(
      "EMB_SEAL_MISMATCH",
      `namespace ${address.namespace}: expected chunks by ${chunkerId}, seen ${seal.chunkerId} with fingerprint ${want.slice(0, 12)}`,
      "Set ingest.chunk_tokens and EMB_MODELS_DIR (it decides between an exact tokenizer and an estimate) back, or fill a namespace of another base: --base NAME.",
    );
  return { kind: "reuse", record: taken };
}
