import type { Spend } from "./runs.js";

/** What the live changes of a namespace took so far, whether or not anything of it was shown. */
export interface LiveSpend extends Spend {
  readonly namespaceId: number;
  /** Given to the model and answered. */
  readonly texts: number;
}

/** A document whose current version a namespace has still to show. */
export interface QueuedChange {
  readonly documentId: string;
  /** Of the document when it was queued; the document may have a newer one by now. */
  readonly version: bigint;
  /** Times that it was put off. */
  readonly attempts: number;
}

/** A change that is shown except for the texts that the provider refused, or one that could not be shown at all. */
export interface SetAsideChange {
  readonly documentId: string;
  readonly version: bigint;
  /** Of the chunks that were refused, ascending; empty: nothing of this version is shown, so it counts as lag. */
  readonly ordinals: readonly number[];
  readonly code: string;
  /** Says what was expected and seen; never the text. */
  readonly reason: string;
}

export interface ChangeCounts {
  readonly namespaceId: number;
  /** Waiting to be shown, set-aside ones not among them. */
  readonly queued: number;
  /** Since the oldest of them was queued, by the database's clock; 0 when there is none. */
  readonly oldestAgeMs: number;
  readonly setAside: number;
}

/**
 * Live changes on their way to the namespaces of a base. `Documents` writes them in the transaction that changes the document, one for each
 * namespace that is filling or ready; `NamespaceWriter.writeChanges` removes them in the transaction that shows it. A claim only keeps two
 * workers from doing the same work: what is written is decided by the document's row.
 */
export interface Changes {
  /**
   * Takes up to `limit` waiting changes for `claimMs`, the oldest first; others get the next ones. A claim that runs out is free again.
   * @param claim.documentIds only these, when given
   */
  claim(claim: {
    namespaceId: number;
    limit: number;
    claimMs: number;
    documentIds?: readonly string[];
  }): Promise<readonly QueuedChange[]>;
  /** Gives changes back, to be taken again after `waitMs`, and counts the attempt. A document that changed meanwhile stays free at once. */
  postpone(postponed: { namespaceId: number; changes: readonly QueuedChange[]; waitMs: number }): Promise<void>;
  /** Takes a change out of the queue, by name: trying again does not help. One whose document changed meanwhile stays as it is. */
  giveUp(given: { namespaceId: number; change: QueuedChange; code: string; reason: string }): Promise<void>;
  /** What was refused or given up, in order of document id, bytewise. */
  setAside(namespaceId: number, limit: number): Promise<readonly SetAsideChange[]>;
  /** Queues what was set aside once more. @returns how many */
  retry(namespaceId: number): Promise<number>;
  /** Of each namespace that has changes, in order of id. */
  counts(): Promise<readonly ChangeCounts[]>;
  /** Adds to the ledger of live changes. A cost that is unknown once stays so. */
  recordSpend(namespaceId: number, spent: Omit<LiveSpend, "namespaceId">): Promise<void>;
  /** Of each namespace whose live changes took something, retired ones too, in order of id. */
  spend(): Promise<readonly LiveSpend[]>;
  /** Which of these documents wait for the namespace, and which are set aside in it. */
  find(
    namespaceId: number,
    documentIds: readonly string[],
  ): Promise<readonly { documentId: string; state: "queued" | "set_aside" }[]>;
  /**
   * Queues every live document whose current version is not committed in the namespace: what an ended run left. Changes that wait or are set
   * aside already stay as they are. @returns how many it queued
   */
  queuePending(namespaceId: number): Promise<number>;
}
