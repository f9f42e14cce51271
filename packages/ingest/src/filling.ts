import type { NamespaceRecord, NamespaceWriter, Run } from "@emb/store";
import type { Chunker } from "./chunker.js";
import { createCommitPace, type CommitPace } from "./commit-pace.js";
import type { ContinueSetup } from "./continue-run.js";
import { checkWitness, openSealedWriter } from "./open-target.js";
import { OwnContents } from "./own-contents.js";
import type { VectorSources } from "./prepare-batch.js";
import { RecentVectors } from "./recent-vectors.js";
import { createRunMeter, type RunMeter } from "./run-meter.js";
import { stopped } from "./run-step.js";
import { sameSpace } from "./same-space.js";

const RECENT_VECTOR_BYTES = 8 * 1024 * 1024;

/** A run's namespace, opened to be filled by this process; what its shards share. */
export interface Filling extends VectorSources {
  readonly writer: NamespaceWriter;
  readonly chunker: Chunker;
  readonly pace: CommitPace;
}

/**
 * Opens a run's namespace and checks that the model still makes the vectors of its seal; so the first commit is sized by how fast it is.
 * @throws EmbError EMB_WITNESS_FAILED, EMB_SEAL_MISMATCH, EMB_PRICE_UNKNOWN, and what store and provider throw
 */
export async function openFilling(
  setup: ContinueSetup,
  { id: runId }: Pick<Run, "id">,
  record: NamespaceRecord,
): Promise<Filling> {
  const { store, provider, tokenizer, commitRows, nowMs, limits } = setup;
  const { writer, chunker } = await openSealedWriter(setup, record);
  const pace = createCommitPace({ commitRows, nowMs });
  await pace.measure(record.seal.witness.length, () => checkWitness(setup, record, limits.witnessMinCosine));
  const run = await store.runs.get(runId); // its limit may have been set after it was read
  if (run === null) throw stopped(run);
  const donors = sameSpace(writer.record, await store.namespaces.list(), limits.witnessMinCosine);
  return {
    writer,
    chunker,
    pace,
    meter: paced(createRunMeter({ runs: store.runs, run, provider, tokenizer }), pace),
    recent: new RecentVectors(Math.max(RECENT_VECTOR_BYTES, 2 * commitRows * provider.profile.dims * 4)),
    own: donors.length === 0 && (await writer.isEmpty()) ? new OwnContents() : null,
    sameSpace: donors,
  };
}

/** What had a vector already says nothing about the model. */
const paced = (meter: RunMeter, pace: CommitPace): RunMeter => ({
  embed: (texts, signal) => {
    const embed = () => meter.embed(texts, signal);
    return texts.length === 0 ? embed() : pace.measure(texts.length, embed);
  },
});
