/** What goes wrong. */
export const FAULT_KINDS = [
  "kill-worker",
  "kill-orchestrator",
  "second-orchestrator",
  "cut-connections",
  "restart-database",
  "full-disk",
  "freeze-worker",
  "provider-down",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Documents of the run that are committed when it comes. */
  readonly afterDocuments: number;
  /** Which worker, for faults of one. */
  readonly worker: number;
  /** How long it lasts, for faults that end: full-disk and provider-down. */
  readonly lastsMs: number;
  /** How the database is stopped. */
  readonly mode: "fast" | "immediate";
}

/** One document that changes by itself beside the run. */
export interface LiveChange {
  readonly kind: "put" | "delete";
  /** Which document, counted from 0; from `documents` on, one that the run's source does not have. */
  readonly document: number;
  /** As for faults. */
  readonly afterDocuments: number;
}

/** One re-ingest and everything that happens to it. */
export interface Schedule {
  readonly seed: number;
  readonly documents: number;
  readonly faults: readonly Fault[];
  /** In the order in which they are made. */
  readonly changes: readonly LiveChange[];
}

export const WORKERS = 2;
const FEWEST_DOCUMENTS = 120;
const MOST_DOCUMENTS = 240;
const MOST_FAULTS = 3;
/** Few enough that some change several times; as many again are not in the source. */
const CHANGING = 3;
const MOST_CHANGES = 8;
const SHORTEST_MS = 200;
const LONGEST_MS = 800;

/**
 * The schedule of a seed: always the same one. Every kind is as likely as every other, and faults come in the order of their documents. In one of three
 * no document changes by itself, so that what was counted on the way can be held to an exact number.
 * @param kinds what can be done here
 */
export function createSchedule(seed: number, kinds: readonly FaultKind[] = FAULT_KINDS): Schedule {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const documents = FEWEST_DOCUMENTS + below(MOST_DOCUMENTS - FEWEST_DOCUMENTS + 1);
  const faults = Array.from({ length: 1 + below(MOST_FAULTS) }, (): Fault => {
    const kind = kinds[below(kinds.length)];
    if (kind === undefined) throw new Error("no kind of fault can be done here");
    return {
      kind,
      afterDocuments: below(Math.floor(documents * 0.8)), // later, and the run may have ended before it comes
      worker: below(WORKERS),
      lastsMs: SHORTEST_MS + below(LONGEST_MS - SHORTEST_MS),
      mode: random() < 0.5 ? "fast" : "immediate",
    };
  });
  const changing = Array.from({ length: CHANGING }, (_, place) => [below(documents), documents + place]).flat();
  const changes = Array.from({ length: below(3) === 0 ? 0 : 1 + below(MOST_CHANGES) }, (): LiveChange => ({
    kind: random() < 0.7 ? "put" : "delete",
    document: changing[below(changing.length)] ?? 0,
    afterDocuments: below(Math.floor(documents * 0.8)),
  }));
  const inOrder = <T extends { afterDocuments: number }>(all: T[]) =>
    all.toSorted((a, b) => a.afterDocuments - b.afterDocuments);
  return { seed, documents, faults: inOrder(faults), changes: inOrder(changes) };
}

/** Numbers from 0 up to 1. Source: mulberry32 by Tommy Ettinger, public domain. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One line that says everything about a schedule. */
export const describeSchedule = ({ seed, documents, faults, changes }: Schedule): string =>
  [
    `FAULT_SEED=${seed}: ${documents} documents`,
    ...faults.map((fault) => `${nameOf(fault)} after ${fault.afterDocuments}`),
    ...changes.map((change) => `${change.kind} ${change.document} after ${change.afterDocuments}`),
  ].join(", ");

function nameOf({ kind, worker, lastsMs, mode }: Fault): string {
  if (kind === "restart-database") return `${kind} (${mode})`;
  if (kind === "full-disk" || kind === "provider-down") return `${kind} (${lastsMs} ms)`;
  return kind === "kill-worker" ? `${kind} (${worker})` : kind;
}
