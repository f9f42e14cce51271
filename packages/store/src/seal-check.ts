import { EmbError } from "@emb/manifest";
import { MAX_DIMS } from "./namespace-table.js";
import type { ExpectedSeal, NamespaceRecord } from "./namespaces.js";
import type { NamespaceAddress, Seal } from "./seal.js";

type Expected = Omit<ExpectedSeal, "dims"> & { readonly dims: number; readonly chunkerId?: string };

const NEW_NAME =
  "Settings that change vectors always need a new profile name: keep the old profile, add the changed one under a new name, then run `emb reingest --to NEW_NAME`.";

function mismatch(record: NamespaceRecord, expected: Expected, hint: string): EmbError {
  const { seal, namespace } = record;
  return new EmbError(
    "EMB_SEAL_MISMATCH",
    `namespace "${namespace}" is sealed for profile "${seal.profile}" with fingerprint ${seal.fingerprint} (${seal.dims} dims); ` +
      `profile "${expected.profile}" has fingerprint ${expected.fingerprint} (${expected.dims} dims)`,
    {
      hint,
      context: {
        namespace,
        sealed: seal.fingerprint,
        expected: expected.fingerprint,
        sealedProfile: seal.profile,
        profile: expected.profile,
      },
    },
  );
}

const mismatchHint = (record: NamespaceRecord, expected: Expected): string =>
  record.seal.profile === expected.profile
    ? NEW_NAME
    : `Give profile "${expected.profile}" a namespace of its own: namespace mode "profile", or another base.`;

const chunkerMismatch = (record: NamespaceRecord, expected: Expected & { chunkerId: string }): EmbError =>
  new EmbError(
    "EMB_SEAL_MISMATCH",
    `namespace "${record.namespace}" holds chunks made by "${record.seal.chunkerId}" (fingerprint ${record.seal.fingerprint}); ` +
      `this program would write chunks made by "${expected.chunkerId}" (fingerprint ${expected.fingerprint})`,
    {
      hint: "Re-ingest into a new namespace: give the profile a new name, or retire this one first.",
      context: { namespace: record.namespace, sealed: record.seal.chunkerId, expected: expected.chunkerId },
    },
  );

/** @throws EmbError EMB_DIMS_UNSUPPORTED */
export function checkDims(seal: Pick<Seal, "dims" | "storage" | "profile">): void {
  const most = MAX_DIMS[seal.storage];
  if (Number.isInteger(seal.dims) && seal.dims >= 1 && seal.dims <= most) return;
  throw new EmbError(
    "EMB_DIMS_UNSUPPORTED",
    `profile "${seal.profile}" has ${seal.dims} dims; storage ${seal.storage} takes 1 to ${most}`,
    {
      hint: "Use a profile with fewer dims.",
      context: { dims: seal.dims, most },
    },
  );
}

/** @throws EmbError EMB_NAMESPACE_MODE_MISMATCH when the base was made in another mode */
export function checkMode(address: NamespaceAddress, stored: NamespaceAddress["mode"] | null): void {
  if (stored === null || stored === address.mode) return;
  throw new EmbError(
    "EMB_NAMESPACE_MODE_MISMATCH",
    `base "${address.base}" uses namespace mode "${stored}"; this process uses mode "${address.mode}"`,
    {
      hint: `Set EMBEDDING_NAMESPACE_MODE=${stored}, or use another base.`,
      context: { base: address.base, stored, mode: address.mode },
    },
  );
}

/** What `create` may do with a namespace that is at the address already. @throws EmbError EMB_NAMESPACE_OCCUPIED, EMB_SEAL_MISMATCH */
export function checkExisting(record: NamespaceRecord, seal: Seal): void {
  if (record.mode === "none" && record.seal.profile !== seal.profile) {
    throw new EmbError(
      "EMB_NAMESPACE_OCCUPIED",
      `namespace "${record.namespace}" belongs to profile "${record.seal.profile}" (fingerprint ${record.seal.fingerprint}); ` +
        `in mode none there is no room beside it for "${seal.profile}" (fingerprint ${seal.fingerprint})`,
      {
        hint: "Use another base in mode profile, version or model, or retire the old namespace first.",
        context: { namespace: record.namespace, occupant: record.seal.profile, profile: seal.profile },
      },
    );
  }
  checkWriter(record, seal);
}

/** @throws EmbError EMB_SEAL_MISMATCH */
export function checkWriter(record: NamespaceRecord, expected: Expected & { chunkerId: string }): void {
  if (record.seal.fingerprint !== expected.fingerprint)
    throw mismatch(record, expected, mismatchHint(record, expected));
  if (record.seal.chunkerId !== expected.chunkerId) throw chunkerMismatch(record, expected);
}

/**
 * Whether a reader's vectors may meet these. A space of other dims never; a different space of equal dims only with strict off.
 * @throws EmbError EMB_SEAL_MISMATCH
 */
export function checkReader(record: NamespaceRecord, expected: ExpectedSeal, strict: boolean): "equal" | "mismatched" {
  if (record.seal.spaceId === expected.spaceId && record.seal.dims === expected.dims) return "equal";
  if (strict || record.seal.dims !== expected.dims) throw mismatch(record, expected, mismatchHint(record, expected));
  return "mismatched";
}

/** The error for an address without a namespace. */
export const notFound = (
  address: Pick<NamespaceAddress, "base" | "namespace">,
  profile: string,
  others: readonly string[],
): EmbError =>
  new EmbError(
    "EMB_NAMESPACE_NOT_FOUND",
    `namespace "${address.namespace}" does not exist` +
      (others.length === 0
        ? `; base "${address.base}" has none yet`
        : `; base "${address.base}" has ${others.map((name) => `"${name}"`).join(", ")}`),
    {
      hint: `Fill it: emb reingest --to ${profile} --source SOURCE --yes.`,
      context: { namespace: address.namespace, base: address.base },
    },
  );
