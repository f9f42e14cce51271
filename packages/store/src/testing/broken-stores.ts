import type { Breakage } from "./breakage.js";
import { brokenChanges } from "./broken-changes.js";
import { brokenContent } from "./broken-content.js";
import { brokenDocuments } from "./broken-documents.js";
import { brokenLiveDocuments } from "./broken-live-documents.js";
import { brokenNamespaces } from "./broken-namespaces.js";
import { brokenRecords } from "./broken-records.js";
import { brokenRuns } from "./broken-runs.js";
import { brokenSearch } from "./broken-search.js";
import { brokenShadowReads } from "./broken-shadow-reads.js";
import { brokenVerdicts } from "./broken-verdicts.js";
import { brokenWorkers } from "./broken-workers.js";
import { brokenWrites } from "./broken-writes.js";
import type { StorePromise } from "./index.js";

/** For every promise a store that breaks it and, as far as that can be, nothing else. */
export const brokenStores: Record<StorePromise, Breakage> = {
  ...brokenNamespaces,
  ...brokenDocuments,
  ...brokenRuns,
  ...brokenWrites,
  ...brokenSearch,
  ...brokenRecords,
  ...brokenWorkers,
  ...brokenLiveDocuments,
  ...brokenChanges,
  ...brokenContent,
  ...brokenShadowReads,
  ...brokenVerdicts,
};
