import type { Environment, Settings } from "@emb/config";
import type { Progress } from "@emb/ingest";
import type { ServiceLog, Telemetry } from "@emb/query";
import type { Store } from "@emb/store";
import type { OpenModels } from "./open-models.js";

/** What every duty of one worker shares. */
export interface WorkerContext {
  readonly settings: Settings;
  readonly env: Environment;
  readonly store: Store;
  /** Names this process among all workers, as the holder of shards and in its reports. */
  readonly instance: string;
  /** Told to stop: take nothing new, commit what is under way, give back the rest. */
  readonly stopping: AbortSignal;
  /** End at once, whatever is under way. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly log: ServiceLog;
  readonly telemetry: Telemetry;
  readonly models: OpenModels;
  readonly onProgress: (progress: Progress) => void;
  /** Lets every duty look for work now. */
  readonly wake: () => void;
}

/** One kind of work that a worker does, beside the others. */
export interface Duty {
  /** As in the log and in `duty.failed`. */
  readonly name: string;
  /** Between two looks when there was nothing to do and nobody woke it. */
  readonly lookMs: number;
  /**
   * Does what there is to do now, until it is done or `stopping` is aborted.
   * @returns false when there was nothing: it is called again after a while, or when the worker is woken
   * @throws when it is to be called again later, and later still each time that it throws in a row
   */
  step(): Promise<boolean>;
}
