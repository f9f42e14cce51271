import { canonicalJson, cosineSimilarity, EmbError, type NamespaceMode } from "@emb/manifest";
import type { ForeignTable, NamespaceAddress, NamespaceRecord, Run } from "@emb/store";
import { continueRun, type ContinueSetup } from "./continue-run.js";
import { openTarget, targetAddress } from "./open-target.js";
import { UNFINISHED } from "./run-state.js";
import { step } from "./run-step.js";
import type { Verification } from "./verify-namespace.js";
import { WHOLE_TEXTS } from "./whole-texts.js";

/** Named in one go. */
const MAX_NAMED_ROWS = 10_000;

export interface AdoptSetup extends ContinueSetup {
  readonly base: string;
  readonly mode: NamespaceMode;
  readonly table: ForeignTable;
  /** Texts that are embedded again and compared with their stored vector; at least 1. */
  readonly sampleTexts: number;
  readonly newRunId: () => string;
}

export interface AdoptReport {
  readonly run: Run;
  readonly record: NamespaceRecord;
  readonly rows: number;
  readonly documents: number;
  /** Rows of the table that could not be taken. */
  readonly setAside: number;
  /** The sample; the probe texts of the seal come on top. */
  readonly textsEmbedded: number;
  readonly minCosine: number;
  readonly verification: Verification;
}

/**
 * Seals a table that another program filled with the profile's model, after embedding a sample of its texts again: every one must come out as it
 * stands there. Rows become documents of one chunk each, and their vectors are copied inside the database.
 * @throws EmbError EMB_SOURCE_INVALID (also more rows that cannot be taken than accepted), EMB_SOURCE_EMPTY, EMB_VECTOR_INVALID (other dims), EMB_WITNESS_FAILED (other vectors), EMB_USAGE (the base has documents,
 *   or its namespace for this profile is there), EMB_NAMESPACE_*; nothing is changed then
 */
export async function adopt(setup: AdoptSetup): Promise<AdoptReport> {
  const { store, provider, table, base } = setup;
  const { profile } = provider;
  const facts = await store.adoption.inspect(table);
  if (facts.usable === 0 || facts.dims === null)
    throw new EmbError("EMB_SOURCE_EMPTY", `table ${table.table}: expected rows with id, text and vector, found none`, {
      hint: "Check the names of the columns.",
    });
  if (facts.dims !== profile.dims)
    throw new EmbError(
      "EMB_VECTOR_INVALID",
      `table ${table.table}: expected vectors of ${profile.dims} dims (profile ${profile.name}), found ${facts.dims}`,
      { hint: "Adopt the table with the profile that filled it.", context: { table: table.table, dims: facts.dims } },
    );
  const address = targetAddress(setup);
  const found = await store.namespaces.find(address);
  if (found !== null || (await store.documents.count(base)).live > 0) throw await inUse(setup, address, found);
  const setAside = facts.rows - facts.usable;
  if (setAside > setup.acceptFailures) throw await tooManyLeftOut(setup, setAside);
  const { minCosine, textsEmbedded } = await proveSample(setup);

  const sealing = { ...setup, chunker: WHOLE_TEXTS };
  const record = await openTarget(sealing, address);
  const started = await startRun(sealing, record);
  if (started === null) throw await inUse(setup, address, record); // by another adoption, a moment ago
  const { id: runId, version } = started;
  if (setup.acceptFailures > 0) await store.runs.acceptFailures(runId, setup.acceptFailures);
  const leftOut = await store.adoption.leftOut(table, MAX_NAMED_ROWS);
  await store.runs.recordFailures(
    runId,
    leftOut.map(({ id, reason }) => ({ documentId: id, ordinal: null, code: "EMB_DOCUMENT_INVALID", reason })),
  );
  // before the copy: one that is killed after it is gone on with, by somebody who knows nothing of the sample
  await store.audit.append({
    action: "namespace.adopted",
    actor: setup.actor,
    detail: {
      run_id: runId,
      namespace: record.namespace,
      profile: profile.name,
      table: table.table,
      documents: facts.usable,
      set_aside: setAside,
      texts_embedded: textsEmbedded,
      min_cosine: minCosine,
    },
  });
  const hashPrefix = Buffer.from(`${canonicalJson({ title: null, format: "text", metadata: {} })}\0`, "utf8"); // content-hash.ts
  const source = sourceOf(table);
  const { documents } = await store.adoption
    .copy({ record, runId, version, source, table, hashPrefix })
    .catch(async (error: unknown) => {
      await step(store, runId, "aborted", "the table could not be copied");
      await store.namespaces.retire(record.id);
      await store.audit.append({
        action: "run.aborted",
        actor: setup.actor,
        detail: { run_id: runId, namespace: record.namespace, profile: profile.name, dropped: true },
      });
      throw error;
    });
  const run = await store.runs.get(runId);
  if (run === null) throw new EmbError("EMB_INTERNAL", `run ${runId} is gone`, { hint: "Report this." });
  return {
    ...(await continueRun(sealing, run, record)),
    record,
    rows: facts.rows,
    documents,
    setAside,
    textsEmbedded,
    minCosine,
  };
}

const sourceOf = ({ table }: ForeignTable): string => `table:${table}`;

const inUse = async (setup: AdoptSetup, { namespace }: NamespaceAddress, found: NamespaceRecord | null) =>
  new EmbError("EMB_USAGE", `base ${setup.base}: expected neither documents nor a namespace ${namespace}, found some`, {
    hint: await wayOn(setup, found),
    context: { base: setup.base },
  });

/** An adoption that was cut short is gone on with, or taken back where it had copied nothing. */
async function wayOn({ store, base, table }: AdoptSetup, found: NamespaceRecord | null): Promise<string> {
  const begun = (await store.runs.list({ base, states: UNFINISHED })).find(
    ({ namespaceId, source }) => namespaceId === found?.id && source === sourceOf(table),
  );
  if (begun === undefined) return "Adopt the table as a base of its own: --base NAME.";
  return begun.intakeDone
    ? `An adoption of this table began here and has not ended: go on with emb runs resume ${begun.id}.`
    : `An adoption of this table began here and has taken nothing: where it does not go on, emb runs abort ${begun.id}, then adopt it again.`;
}

async function tooManyLeftOut({ store, table, acceptFailures }: AdoptSetup, setAside: number): Promise<EmbError> {
  const named = (await store.adoption.leftOut(table, 3)).map(({ id, reason }) => `${id} (${reason})`).join(", ");
  return new EmbError(
    "EMB_SOURCE_INVALID",
    `table ${table.table}: expected at most ${acceptFailures} rows that cannot be taken, found ${setAside}, among them ${named}`,
    { hint: "Repair them, or leave them out with --accept-failures N.", context: { table: table.table } },
  );
}

const startRun = async ({ store, newRunId, table }: AdoptSetup, record: NamespaceRecord): Promise<Run | null> =>
  store.runs.createAlone(
    {
      id: newRunId(),
      base: record.base,
      namespaceId: record.id,
      profile: record.seal.profile,
      source: sourceOf(table),
      version: await store.documents.nextVersion(), // drawn before the table is read
    },
    UNFINISHED,
  );

/** @throws EmbError EMB_SOURCE_INVALID, EMB_WITNESS_FAILED */
async function proveSample({
  store,
  provider,
  table,
  limits,
  sampleTexts,
  signal,
}: AdoptSetup): Promise<{ minCosine: number; textsEmbedded: number }> {
  const { profile } = provider;
  const sample = await store.adoption.sample(table, sampleTexts);
  // verification holds every vector to it; a table that fails there has been copied by then
  const otherLength = profile.capabilities.normalizedOutput
    ? sample.filter(({ vector }) => Math.abs(Math.hypot(...vector) - 1) > limits.normTolerance).length
    : 0;
  if (otherLength > 0)
    throw new EmbError(
      "EMB_SOURCE_INVALID",
      `table ${table.table}: expected vectors of length 1, as profile ${profile.name} says, found ${otherLength} of ${sample.length} sampled ones of another`,
      {
        hint: "Adopt a table whose vectors are normalised (pgvector: l2_normalize), or re-ingest the texts.",
        context: { table: table.table, profile: profile.name },
      },
    );
  const { dense, dims } = await provider.embedDocuments(
    sample.map(({ text }) => text),
    { signal },
  );
  const cosines = sample.map(({ vector }, row) =>
    cosineSimilarity(vector, dense.subarray(row * dims, (row + 1) * dims)),
  );
  const lowest = Math.min(...cosines);
  if (lowest >= limits.witnessMinCosine) return { minCosine: lowest, textsEmbedded: sample.length };
  const off = cosines.filter((cosine) => cosine < limits.witnessMinCosine).length;
  throw new EmbError(
    "EMB_WITNESS_FAILED",
    `table ${table.table}: expected the model of profile ${profile.name} to repeat the vectors of ${sample.length} sampled texts ` +
      `(cosine >= ${limits.witnessMinCosine}), ${off} differ, lowest seen ${lowest.toFixed(4)}`,
    {
      hint: "Another model, prompt or cut filled this table: name its profile, or re-ingest the texts.",
      context: { table: table.table, profile: profile.name, cosine: lowest },
    },
  );
}
