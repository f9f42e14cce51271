import { changeChecks } from "./change-checks.js";
import { contentChecks } from "./content-checks.js";
import { documentChecks } from "./document-checks.js";
import { liveDocumentChecks } from "./live-document-checks.js";
import { namespaceChecks, type StoreCheck } from "./namespace-checks.js";
import { recordChecks } from "./record-checks.js";
import { runChecks } from "./run-checks.js";
import { searchChecks } from "./search-checks.js";
import { shadowChecks } from "./shadow-checks.js";
import { workerChecks } from "./worker-checks.js";
import { verdictChecks } from "./verdict-checks.js";
import { writeChecks } from "./write-checks.js";

export type { StoreCheck } from "./namespace-checks.js";

/**
 * The promises of the store port, one check each, for any adapter. A check takes an open store, uses names of its own, leaves the store
 * open, and throws an AssertionError when the promise is broken. Checks may run one after the other on one store.
 */
export const storeContract = {
  ...namespaceChecks,
  ...documentChecks,
  ...liveDocumentChecks,
  ...changeChecks,
  ...contentChecks,
  ...runChecks,
  ...writeChecks,
  ...searchChecks,
  ...recordChecks,
  ...verdictChecks,
  ...shadowChecks,
  ...workerChecks,
} satisfies Record<string, StoreCheck>;

export type StorePromise = keyof typeof storeContract;
