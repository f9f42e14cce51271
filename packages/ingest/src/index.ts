export { adopt, type AdoptReport, type AdoptSetup } from "./adopt.js";
export type { Chunker, TextChunk } from "./chunker.js";
export { createChunker } from "./document-chunker.js";
export { chunkHash, documentHash } from "./content-hash.js";
export { queueWhatRunsLeft } from "./ended-runs.js";
export { createCommitPace, type CommitPace } from "./commit-pace.js";
export { fillShard, type FillShard } from "./fill-shard.js";
export { takeIn, type IntakeReport } from "./intake.js";
export { drainChanges, openDrain, type ChangeDrain, type DrainReport } from "./keep-fresh.js";
export { LIVE_SOURCE, readLiveDocument } from "./live-document.js";
export { showChange, type ShownChange } from "./show-change.js";
export { namespaceName, namespaceSuffix, NAMESPACE_MODES, type NamespaceName } from "./namespace.js";
export { continueRun, type ContinueSetup } from "./continue-run.js";
export { handOver, type FilledBy } from "./hand-over.js";
export { targetAddress } from "./open-target.js";
export { reingest, type ReingestSetup } from "./reingest.js";
export type { ReingestReport } from "./reingest-report.js";
export type { Progress } from "./run-progress.js";
export type { Plan } from "./plan.js";
export { planReingest, type PlanSetup } from "./plan-reingest.js";
export { isPostgresAddress, openPlace, type SourcePlace } from "./open-place.js";
export { openSource } from "./open-source.js";
export { createFolderSource } from "./folder-source.js";
export { createJsonlSource } from "./jsonl-source.js";
export { decideRollback, rollBack, type RollbackDecision } from "./rollback.js";
export { abortRun, newestRun, pauseRun, resumeRun, retryRun } from "./run-control.js";
export { requirePrice } from "./run-meter.js";
export { reasonsToKeep, retireNamespace, type ConfiguredUse } from "./retire.js";
export { mayFollow, statesBefore, UNFINISHED } from "./run-state.js";
export { setAsideTexts } from "./set-aside-texts.js";
export { scopeSource } from "./scoped-source.js";
export {
  STORED_DOCUMENTS,
  type RunSource,
  type SetAside,
  type Source,
  type SourceDocument,
  type SourceItem,
} from "./source.js";
export { decideTarget, type TargetDecision } from "./target.js";
export {
  verifyNamespace,
  type Check,
  type Verification,
  type VerifyLimits,
  type VerifySetup,
} from "./verify-namespace.js";
export { sealedChunker, WHOLE_TEXTS } from "./whole-texts.js";
