import type { Audit } from "../audit.js";
import type { Changes } from "../changes.js";
import type { Documents } from "../documents.js";
import type { Hit, NamespaceReader, Namespaces, NamespaceWriter } from "../namespaces.js";
import type { RateLimits } from "../rate-limits.js";
import type { Readers } from "../readers.js";
import type { Runs } from "../runs.js";
import type { ShadowReads } from "../shadow-reads.js";
import type { Store } from "../store.js";
import type { Verdicts } from "../verdicts.js";
import type { Wakeups } from "../wakeups.js";
import type { Workers } from "../workers.js";

export type Break<Part> = (part: Part, store: Store) => Partial<Part>;
export type Breakage = (store: Store) => Store;

export const namespaces =
  (change: Break<Namespaces>): Breakage =>
  (store) => ({
    ...store,
    namespaces: { ...store.namespaces, ...change(store.namespaces, store) },
  });
export const documents =
  (change: Break<Documents>): Breakage =>
  (store) => ({
    ...store,
    documents: { ...store.documents, ...change(store.documents, store) },
  });
export const changes =
  (change: Break<Changes>): Breakage =>
  (store) => ({ ...store, changes: { ...store.changes, ...change(store.changes, store) } });
export const runs =
  (change: Break<Runs>): Breakage =>
  (store) => ({ ...store, runs: { ...store.runs, ...change(store.runs, store) } });
export const readers =
  (change: Break<Readers>): Breakage =>
  (store) => ({ ...store, readers: { ...store.readers, ...change(store.readers, store) } });
export const rateLimits =
  (change: Break<RateLimits>): Breakage =>
  (store) => ({ ...store, rateLimits: { ...store.rateLimits, ...change(store.rateLimits, store) } });
export const workers =
  (change: Break<Workers>): Breakage =>
  (store) => ({ ...store, workers: { ...store.workers, ...change(store.workers, store) } });
export const wakeups =
  (change: Break<Wakeups>): Breakage =>
  (store) => ({ ...store, wakeups: { ...store.wakeups, ...change(store.wakeups, store) } });
export const audit =
  (change: Break<Audit>): Breakage =>
  (store) => ({ ...store, audit: { ...store.audit, ...change(store.audit, store) } });
export const verdicts =
  (change: Break<Verdicts>): Breakage =>
  (store) => ({ ...store, verdicts: { ...store.verdicts, ...change(store.verdicts, store) } });
export const shadowReads =
  (change: Break<ShadowReads>): Breakage =>
  (store) => ({ ...store, shadowReads: { ...store.shadowReads, ...change(store.shadowReads, store) } });
export const writer = (change: Break<NamespaceWriter>): Breakage =>
  namespaces((own, store) => ({
    openWriter: async (...call) => {
      const opened = await own.openWriter(...call);
      return { ...opened, ...change(opened, store) };
    },
  }));
export const reader = (change: Break<NamespaceReader>): Breakage =>
  namespaces((own, store) => ({
    openReader: async (...call) => {
      const opened = await own.openReader(...call);
      return { ...opened, ...change(opened, store) };
    },
  }));
export const hits = (change: (found: readonly Hit[]) => readonly Hit[]): Breakage =>
  reader((own) => ({ searchDense: async (query) => change(await own.searchDense(query)) }));

export const unsorted = <T>(rows: readonly T[]): readonly T[] => rows.toReversed();
export const withoutLast = <T>(rows: readonly T[]): readonly T[] => rows.slice(0, -1);
