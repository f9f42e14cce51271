import {
  NAMESPACE_MODES,
  namespaceSuffix,
  type ErrorCode,
  type NamespaceMode,
  type Profile,
  type ProviderId,
} from "@emb/manifest";
import { missingRequirements } from "@emb/providers";

/** Title of the group of tests; each cell's name stands behind it. */
export const MATRIX_TITLE = "profile matrix";
const MATRIX_VARIABLE = "RUN_PROFILE_MATRIX_INTEGRATION";
const STORES = ["embedded"] as const;

/** They need no secret and no network, so they have to run everywhere. */
const LOCAL_PROVIDERS: readonly string[] = ["sentence-transformers", "use-lite"] satisfies readonly ProviderId[];

/** One test of the matrix. */
export interface Cell {
  readonly profile: Profile;
  readonly store: (typeof STORES)[number];
  readonly mode: NamespaceMode;
}

/** What naming and reporting a cell needs of it. */
export interface NamedCell extends Pick<Cell, "store" | "mode"> {
  readonly profile: Pick<Profile, "name">;
}

export const cellsOf = (profiles: Iterable<Profile>): Cell[] =>
  [...profiles].flatMap((profile) =>
    STORES.flatMap((store) => NAMESPACE_MODES.map((mode): Cell => ({ profile, store, mode }))),
  );

export const cellName = ({ profile, store, mode }: NamedCell): string =>
  `${profile.name} x ${store} store x mode ${mode}`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The whole matrix is off. */
export const matrixOff = (env: Environment): string | null =>
  env[MATRIX_VARIABLE]?.trim() === "1" ? null : `${MATRIX_VARIABLE} is not 1`;

export type CellDecision = { readonly kind: "run" } | { readonly kind: "skip"; readonly reason: string };

/** Whether a profile's cells run, and if not, everything that is in the way. Pure. */
export function decideCell(profile: Profile, env: Environment): CellDecision {
  const off = matrixOff(env);
  if (off !== null) return { kind: "skip", reason: off };
  const missing = missingRequirements(profile, env);
  return missing.length === 0 ? { kind: "run" } : { kind: "skip", reason: `missing ${missing.join(", ")}` };
}

export const isLocal = ({ provider }: Pick<Profile, "provider">): boolean => LOCAL_PROVIDERS.includes(provider);

/**
 * Names of the cells that had to run and did not: every cell of a local profile that the -t expression (null: none) lets through. Skipping one
 * for whatever reason is a failure, because nothing outside this repository can be the cause.
 */
export function missedCells(input: {
  cells: readonly Cell[];
  ran: ReadonlySet<string>;
  testNamePattern: string | null;
}): string[] {
  const asked = new RegExp(input.testNamePattern ?? "");
  return input.cells
    .filter(({ profile }) => isLocal(profile))
    .map(cellName)
    .filter((name) => asked.test(`${MATRIX_TITLE} ${name}`) && !input.ran.has(name));
}

/** What must happen when a second profile is filled into the base of the first. */
export type Neighbour = { readonly kind: "beside" } | { readonly kind: "refused"; readonly code: ErrorCode };

export function decideNeighbour(first: Profile, second: Profile, mode: NamespaceMode): Neighbour {
  if (namespaceSuffix(first, mode) !== namespaceSuffix(second, mode)) return { kind: "beside" };
  return { kind: "refused", code: mode === "none" ? "EMB_NAMESPACE_OCCUPIED" : "EMB_SEAL_MISMATCH" };
}
