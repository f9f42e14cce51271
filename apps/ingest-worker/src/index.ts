export { createCounting, createModel, type Counting, type Model } from "./model.js";
export { boundHeapGrowth } from "./heap-growth.js";
export { profileChunker } from "./profile-chunker.js";
export type { Duty, WorkerContext } from "./duty.js";
export { shardsAtOnce } from "./shards-at-once.js";
export { work, type WorkerSetup } from "./worker.js";
