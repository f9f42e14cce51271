import type { Adoption } from "./adoption.js";
import type { Audit } from "./audit.js";
import type { Changes } from "./changes.js";
import type { Documents } from "./documents.js";
import type { Namespaces } from "./namespaces.js";
import type { RateLimits } from "./rate-limits.js";
import type { Readers } from "./readers.js";
import type { Runs } from "./runs.js";
import type { ShadowReads } from "./shadow-reads.js";
import type { Wakeups } from "./wakeups.js";
import type { Workers } from "./workers.js";
import type { Verdicts } from "./verdicts.js";

/** Differences between stores, as data; nothing outside an adapter asks for a vendor's name. */
export interface StoreCapabilities {
  /** Longest namespace name in bytes that the store takes. */
  readonly maxNamespaceBytes: number;
  /** Most dims a column of each storage can have. */
  readonly maxDims: { readonly vector: number; readonly halfvec: number };
  /** Most dims that the approximate index takes; above, search is exact. */
  readonly maxIndexedDims: { readonly vector: number; readonly halfvec: number };
  /** More than one process may open it. */
  readonly shared: boolean;
}

/**
 * System of record: documents, their live changes, namespaces with their seals, runs, readers and the audit log. A store never embeds and never guesses a width.
 * Every method may be called concurrently. Errors of the database arrive as EMB_STORE_UNAVAILABLE, EMB_STORE_FULL or EMB_INTERNAL.
 */
export interface Store {
  readonly capabilities: StoreCapabilities;
  readonly namespaces: Namespaces;
  readonly documents: Documents;
  readonly changes: Changes;
  readonly runs: Runs;
  readonly readers: Readers;
  readonly rateLimits: RateLimits;
  readonly workers: Workers;
  /** Where only one process can have the store open there is nobody to wake: nothing is sent, and there is nothing to take. */
  readonly wakeups: Wakeups;
  readonly audit: Audit;
  readonly adoption: Adoption;
  readonly verdicts: Verdicts;
  readonly shadowReads: ShadowReads;
  /** Finishes what is running, then frees threads, files and the directory's lock. Safe to call twice. */
  close(): Promise<void>;
}
