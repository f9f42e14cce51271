import { afterAll, describe, expect, inject, it } from "vitest";
import { loadSettings } from "@emb/config";
import { chunkHash, rollBack, type ReingestReport } from "@emb/ingest";
import { fingerprint, slug, spaceId, type ErrorCode, type Profile } from "@emb/manifest";
import type { Search } from "@emb/search";
import { ROOT } from "../repository/checkout.js";
import {
  cellName,
  cellsOf,
  decideCell,
  decideNeighbour,
  isLocal,
  matrixOff,
  MATRIX_TITLE,
  missedCells,
  type Cell,
} from "./cell.js";
import { ACTOR, openDeployment, type Deployment, type Model, type Place } from "./deployment.js";
import { MatrixReport, renderMatrix, type CellEntry } from "./matrix-report.js";
import { watchOpenResources } from "./open-resources.js";

const { env } = process;
const { signal } = new AbortController();
const off = matrixOff(env);
const settings = loadSettings({ env: { ...env, ENV: "test" }, cwd: ROOT });
const profiles = [...settings.manifest.profiles.values()];
const cells = cellsOf(profiles);
const decide = (profile: Profile) => decideCell(profile, env);
const runnableLocal = profiles.filter((profile) => isLocal(profile) && decide(profile).kind === "run");

const resources = watchOpenResources();
const report = new MatrixReport();
let deployment: Deployment;

// Generous: a cell takes about 5 s on 2 idle cores, and many times that beside other work.
describe(MATRIX_TITLE, { timeout: 300_000 }, () => {
  afterAll(async () => {
    process.stdout.write(off === null ? `\n${renderMatrix(report.rows)}\n\n` : `${MATRIX_TITLE} skipped: ${off}\n`);
    if (off !== null) return;
    expect(await resources.left(), "threads and handles left open").toEqual([]);
    const { ran } = report;
    const missed = missedCells({ cells, ran, testNamePattern: inject("testNamePattern") });
    expect(missed, "cells of local profiles that did not run").toEqual([]);
  }, 60_000);

  for (const [number, cell] of cells.entries())
    it(cellName(cell), async (context) => {
      const decision = decide(cell.profile);
      if (decision.kind === "skip") {
        report.skip(cell, decision.reason);
        context.skip();
        return;
      }
      // a store for each: vectors of another cell's namespace of the same space would be copied, and nothing embedded
      deployment = await openDeployment(settings, env);
      try {
        await report.run(cell, (entry) => runCell(cell, { base: `cell${number}`, mode: cell.mode }, entry));
      } finally {
        await deployment.close();
      }
    });
});

async function runCell({ profile }: Cell, place: Place, entry: CellEntry): Promise<void> {
  const first = await deployment.model(profile);

  entry.step("ingest");
  const startedAt = new Date();
  const filled = await deployment.fill(place, first);
  entry.filled(filled.documents, filled.chunks.total);
  const documents = deployment.handbook.documents.length;
  expect(filled).toMatchObject({
    state: "ready",
    resumed: false,
    documents,
    intake: { created: documents, setAside: 0 },
  });
  expect(filled.chunks).toEqual({
    total: filled.chunks.embedded,
    embedded: filled.chunks.total,
    skipped: 0,
    failed: 0,
  });
  expect(filled.chunks.total).toBeGreaterThan(documents);

  entry.step("provenance");
  await checkSeal(place, first);
  const search = await deployment.search(place, first);
  await checkProvenance(place, first, { search, filled, startedAt });

  entry.step("retrieve");
  await checkAnswers(search);
  const answers = await readAnswers(search);

  entry.step("verify");
  await checkVerification(place, first, filled.chunks.total);

  entry.step("swap");
  const second = await swap(place, first);
  expect(await readAnswers(search), "answers of the first profile beside the second").toBe(answers);
  await checkVerification(place, first, filled.chunks.total);

  entry.step("rollback");
  await rollBackTo(place, profile, second);
  expect(await readAnswers(await deployment.search(place, first)), "answers after the rollback").toBe(answers);

  entry.step("rollback to a profile without a namespace");
  await refuseAbsent(place, profile, second);

  entry.step("rollback after a change");
  await refuseLagging(place, first);
}

async function checkSeal(place: Place, { profile, chunker }: Model): Promise<void> {
  const { base, mode } = place;
  const tails = {
    none: "",
    profile: `_${slug(profile.name)}`,
    version: `_${slug(profile.version)}`,
    model: `_${slug(profile.modelId)}`,
  };
  const record = await deployment.store.namespaces.find(deployment.address(place, profile));
  expect(record).toMatchObject({ base, mode, namespace: base + tails[mode], state: "ready" });
  const { name, provider, modelId, dims, similarity, storage } = profile;
  const made = { fingerprint: fingerprint(profile), spaceId: spaceId(profile), chunkerId: chunker.id };
  expect(record?.seal).toMatchObject({ profile: name, provider, modelId, dims, similarity, storage, ...made });
  expect(record?.seal.witness.map(({ vector }) => vector.length)).toEqual([dims, dims, dims, dims, dims]);
}

/** Every stored row, by a search for all of them, says which text of which document it is, and which run embedded it when. */
async function checkProvenance(
  place: Place,
  { profile, chunker }: Model,
  { search, filled, startedAt }: { search: Search; filled: ReingestReport; startedAt: Date },
): Promise<void> {
  const { store, handbook } = deployment;
  const run = await store.runs.get(filled.runId);
  const wanted = handbook.documents.flatMap(({ id, ...document }) =>
    chunker.chunk(document).map(({ embedText, text, headingPath }, ordinal) => {
      const contentHash = chunkHash(embedText).toString("hex");
      return [`${id}#${ordinal}`, { text, headingPath, contentHash }] as const;
    }),
  );
  const { hits } = await search.search({ text: handbook.questions[0]!.text, topK: filled.chunks.total }, { signal });
  const seen = hits.map(({ documentId, ordinal, text, headingPath, provenance: { contentHash } }) => {
    return [`${documentId}#${ordinal}`, { text, headingPath, contentHash }] as const;
  });
  expect(hits).toHaveLength(wanted.length);
  expect(Object.fromEntries(seen)).toEqual(Object.fromEntries(wanted));
  for (const { provenance } of hits) {
    expect(provenance).toMatchObject({ runId: filled.runId, documentVersion: run?.version });
    expect(provenance.embeddedAt.getTime()).toBeGreaterThanOrEqual(startedAt.getTime());
    expect(provenance.embeddedAt.getTime()).toBeLessThanOrEqual(Date.now());
  }

  const rows = await (await deployment.reader(place, profile)).scan({ after: null, limit: filled.chunks.total + 1 });
  expect(rows.map(({ dims }) => dims)).toEqual(wanted.map(() => profile.dims));
  expect(new Set(rows.map(({ sealId }) => sealId)).size).toBe(1);
}

/** The real model puts a chunk of a document that answers the question among its first three. */
async function checkAnswers(search: Search): Promise<void> {
  const { questions } = deployment.handbook;
  expect(questions.length).toBeGreaterThan(2);
  for (const { text, answers } of questions) {
    const { hits } = await search.search({ text, topK: 3 }, { signal });
    expect(
      hits.filter(({ documentId }) => answers.includes(documentId)),
      text,
    ).not.toEqual([]);
  }
}

/** Answers to every question with scores and provenance, to be compared byte for byte. */
async function readAnswers(search: Search): Promise<string> {
  const answers = [];
  for (const { text } of deployment.handbook.questions)
    answers.push(await search.search({ text, topK: 10 }, { signal }));
  return JSON.stringify(answers, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

async function checkVerification(place: Place, model: Model, chunks: number): Promise<void> {
  const verification = await deployment.verify(place, model);
  expect(verification.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(verification.checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["chunks", "set_aside", "seal", "dims", "norms", "witness", "queries", "recall"]),
  );
  expect(verification).toMatchObject({
    ok: true,
    driftPct: 0,
    missing: 0,
    duplicate: 0,
    stale: 0,
    expected: chunks,
    found: chunks,
  });
}

/** Fills a second profile beside the first, where the mode has room for it. @returns the second profile, null when none had room */
async function swap(place: Place, first: Model): Promise<Profile | null> {
  const others = runnableLocal.filter(({ name }) => name !== first.profile.name);
  expect(others.length, "other local profiles to swap with").toBeGreaterThan(0);
  const beside = others.find((other) => decideNeighbour(first.profile, other, place.mode).kind === "beside") ?? null;
  for (const other of others) {
    const neighbour = decideNeighbour(first.profile, other, place.mode);
    if (neighbour.kind === "refused")
      await refuseSecond(place, first.profile, await deployment.model(other), neighbour.code);
  }
  expect(beside === null, "no room for a second profile").toBe(place.mode === "none");
  if (beside === null) return null;

  const second = await deployment.model(beside);
  const filled = await deployment.fill(place, second);
  expect(filled).toMatchObject({
    state: "ready",
    resumed: false,
    intake: { created: 0, changed: 0 },
    chunks: { skipped: 0, failed: 0 },
  });
  await checkSeal(place, second);
  await checkVerification(place, second, filled.chunks.total);
  await checkAnswers(await deployment.search(place, second));
  expect((await deployment.store.namespaces.list(place.base)).map(({ seal }) => seal.profile).toSorted()).toEqual(
    [first.profile.name, beside.name].toSorted(),
  );
  return beside;
}

/** Neither filled nor read: both fingerprints are named, no text reached a model, and neither namespace nor run was made. */
async function refuseSecond(place: Place, first: Profile, second: Model, code: ErrorCode): Promise<void> {
  const before = deployment.textsEmbedded();
  const filling = await deployment.fill(place, second).catch((error: unknown) => error);
  expect(filling).toMatchObject({ code });
  const reading = await deployment.search(place, second).catch((error: unknown) => error);
  expect(reading).toMatchObject({ code: "EMB_SEAL_MISMATCH" });
  for (const profile of [first, second.profile]) {
    const message: unknown = expect.stringContaining(fingerprint(profile).slice(0, 12));
    expect(filling).toMatchObject({ message });
    expect(reading).toMatchObject({ message });
  }
  expect(deployment.textsEmbedded(), "texts given to models").toBe(before);
  const { namespaces, runs } = deployment.store;
  expect((await namespaces.list(place.base)).map(({ seal }) => seal.profile)).toEqual([first.name]);
  expect((await runs.list({ base: place.base })).map(({ profile }) => profile)).toEqual([first.name]);
}

async function rollBackTo(place: Place, to: Profile, from: Profile | null): Promise<void> {
  const { store } = deployment;
  const before = deployment.textsEmbedded();
  expect(await (await deployment.reader(place, to)).lag()).toBe(0);
  const decision = await deployment.rollback(place, to);
  if (!decision.ok) throw new Error(decision.reasons.join("; "));
  expect(decision).toMatchObject({ to: { seal: { profile: to.name } }, endRuns: [] });
  await rollBack(store, { decision, from: from?.name ?? to.name, actor: ACTOR });
  expect(deployment.textsEmbedded()).toBe(before);

  const { namespace } = deployment.address(place, to);
  expect((await store.audit.list({ limit: 1 }))[0]).toMatchObject({
    action: "rollback",
    actor: ACTOR,
    detail: { from: from?.name ?? to.name, to: to.name, namespace, ended_runs: 0, texts_embedded: 0 },
  });
  expect(await store.audit.verify()).toMatchObject({ ok: true, firstBad: null });
}

/** A profile that was never filled here. In mode none its namespace is the one that the first profile has. */
async function refuseAbsent(place: Place, first: Profile, second: Profile | null): Promise<void> {
  const filled = second === null ? [first] : [first, second];
  const isAbsent = (profile: Profile) =>
    place.mode === "none"
      ? profile.name !== first.name
      : filled.every((other) => decideNeighbour(other, profile, place.mode).kind === "beside");
  const absent = profiles.find(isAbsent);
  if (absent === undefined) throw new Error("the matrix needs a profile that is not filled");
  const { namespace } = deployment.address(place, first);
  const [want, seen] = [absent, first].map((profile) => fingerprint(profile).slice(0, 12));
  expect(await deployment.rollback(place, absent)).toEqual({
    ok: false,
    reasons: [
      place.mode === "none"
        ? `namespace ${namespace}: expected fingerprint ${want}, seen ${seen}`
        : `profile ${absent.name} has no namespace here: expected one in state ready`,
    ],
  });
}

/** A document changes: going back is refused with the lag, until the same fill brings it up to date from the vectors that are there. */
async function refuseLagging(place: Place, first: Model): Promise<void> {
  const { profile } = first;
  const { namespace } = deployment.address(place, profile);
  await deployment.changeDocument(place);
  expect(await deployment.rollback(place, profile)).toEqual({
    ok: false,
    reasons: [`namespace ${namespace}: expected lag 0, seen 1 documents not yet as they are now`],
  });
  expect(await deployment.rollback(place, profile, { acceptStale: true })).toMatchObject({ ok: true });

  const again = await deployment.fill(place, first);
  expect(again).toMatchObject({ state: "ready", intake: { changed: 1 }, chunks: { embedded: 0, failed: 0 } });
  expect(await deployment.rollback(place, profile)).toMatchObject({ ok: true });
}
