import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "@emb/config";
import { openSource, reingest } from "@emb/ingest";
import { createModel } from "@emb/ingest-worker";
import { EmbError } from "@emb/manifest";
import { actor, findProfile } from "@emb/query";
import type { Store } from "@emb/store";
import { createProgressView } from "../progress.js";
import type { Session } from "../session.js";
import type { QueryFolder } from "./query-folder.js";

/** A base of its own for each corpus, so that what is measured never meets what serves. */
export const scratchBase = (corpusHash: string): string => `eval_${corpusHash.slice(0, 12)}`;

/**
 * Fills the scratch namespace of a profile with the corpus beside the queries; what is there already is not embedded again. No gate is asked: nothing
 * serves from there.
 * @throws EmbError EMB_USAGE without a corpus, EMB_RUN_NOT_READY, EMB_BUDGET_TOO_LOW, EMB_BUDGET_REACHED and what reingest throws
 */
export async function fillScratch(
  session: Session,
  setup: { settings: Settings; store: Store; folder: QueryFolder; profile: string; maxCostUsd: number | null },
): Promise<void> {
  const { settings, store, folder, profile, maxCostUsd } = setup;
  const { path, hash } = corpusOf(folder);
  const source = await openSource(path, { maxDocumentBytes: settings.ingest.maxDocumentBytes });
  const model = await createModel(settings, session.env, findProfile(settings, profile));
  const view = createProgressView(session.output, session.nowMs);
  try {
    const { state, reason, runId } = await reingest({
      store,
      ...model,
      base: scratchBase(hash),
      mode: settings.namespaceMode,
      source,
      shardDocuments: settings.ingest.shardDocuments,
      commitRows: settings.ingest.commitRows,
      leaseMs: settings.ingest.leaseMs,
      limits: settings.verify,
      acceptFailures: 0,
      maxCostUsd,
      actor: actor(),
      newRunId: randomUUID,
      nowMs: session.nowMs,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
      signal: session.signal,
      onProgress: (progress) => view.update(progress),
    });
    if (state === "ready") return;
    throw new EmbError(
      "EMB_RUN_NOT_READY",
      `run ${runId} for profile ${profile}: expected ready, seen ${state} (${reason})`,
      {
        hint: `emb verify namespace --profile ${profile} --base ${scratchBase(hash)} names what is wrong.`,
      },
    );
  } finally {
    view.end();
    await model.provider.close();
  }
}

/** @throws EmbError EMB_USAGE */
export function corpusOf({ corpus, hashes }: QueryFolder): { path: string; hash: string } {
  const hash = hashes["corpus"];
  if (corpus !== null && hash !== undefined) return { path: corpus, hash };
  throw new EmbError("EMB_USAGE", "--ingest: expected corpus.jsonl beside the queries, found none", {
    hint: "Put corpus.jsonl into the folder of --queries, or fill a namespace with emb reingest.",
  });
}
