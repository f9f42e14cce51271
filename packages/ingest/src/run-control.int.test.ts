import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import type { Run } from "@emb/store";
import { continueRun } from "./continue-run.js";
import { documentHash } from "./content-hash.js";
import { queueWhatRunsLeft } from "./ended-runs.js";
import { handOver } from "./hand-over.js";
import { reingest } from "./reingest.js";
import { scopeSource } from "./scoped-source.js";
import { abortRun, pauseRun, resumeRun, retryRun } from "./run-control.js";
import type { Progress } from "./run-progress.js";
import type { Source } from "./source.js";
import { openSmallWorld, sourceOf, TEN, type SmallWorld } from "./small-world.fixture.js";

const refuseSeven = (text: string) =>
  text.includes("number 7") ? new EmbError("EMB_PROVIDER_REJECTED", "the service answered 400", { hint: "-" }) : null;

const AGAIN = { newRunId: randomUUID, shardDocuments: 3 };

const textOf = (text: string) => {
  const content = { title: null, format: "text" as const, text, metadata: {} };
  return { ...content, contentHash: documentHash(content) };
};

describe("an operator moves a run", { timeout: 120_000 }, () => {
  let world: SmallWorld;
  const control = () => ({ store: world.store, actor: "operator" });
  const newest = async (base: string): Promise<Run> => (await world.store.runs.list({ base }))[0]!;
  const actions = async (run: Run) =>
    (await world.store.audit.list({ limit: 1000 }))
      .filter(({ detail }) => detail["run_id"] === run.id)
      .map(({ action }) => action)
      .toReversed();
  beforeAll(async () => {
    world = await openSmallWorld();
  }, 60_000);
  afterAll(() => world.close());

  /** Does something to the run from outside when its fill has committed three documents, and gives what the fill then threw. */
  const disturb = async (base: string, act: (run: Run) => Promise<unknown>): Promise<unknown> => {
    let acted: Promise<unknown> | undefined;
    const onProgress = (progress: Progress) => {
      if (progress.kind === "fill" && progress.documents >= 3) acted ??= newest(base).then(act);
    };
    const source = sourceOf(`test:${base}`, TEN);
    const filling = reingest(await world.setup(base, source, { onProgress, commitRows: 1 }));
    const error = await filling.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    await acted;
    return error;
  };

  it("whoever brings a run to its end holds it to what was accepted where it was started", async () => {
    const source = sourceOf("test:accepted", TEN);
    const stop = new AbortController();
    let whenBegun: Promise<Run> | undefined;
    const begun = await world.setup("accepted", source, {
      refuse: refuseSeven,
      acceptFailures: 1,
      signal: stop.signal,
      onProgress({ kind }) {
        if (kind === "run") whenBegun = newest("accepted");
        if (kind === "taken-in") stop.abort(new Error("killed"));
      },
    });
    await expect(reingest(begun)).rejects.toThrow("killed");
    // before there are shards that a worker could take
    expect(await whenBegun).toMatchObject({ acceptFailures: 1, intakeDone: false });
    const run = await newest("accepted");
    const record = (await world.store.namespaces.list("accepted"))[0]!;
    const worker = await world.setup("accepted", source, { refuse: refuseSeven, acceptFailures: 0 });
    expect(await continueRun(worker, run, record)).toMatchObject({
      run: { state: "ready", failures: 1, acceptFailures: 1 },
      verification: { ok: true, setAside: 1 },
    });
    const detail = { run_id: run.id, accept_failures: 1 };
    expect(await world.store.audit.list({ limit: 2 })).toMatchObject([
      { action: "run.ready", detail: { ...detail, set_aside: 1 } },
      { action: "run.started", detail },
    ]);
  });

  it("pause stops a fill that is going on, and only a resume leads on", async () => {
    const error = await disturb("pause", (run) => pauseRun(control(), run, "lunch"));
    expect(error).toMatchObject({ code: "EMB_RUN_NOT_READY" });
    const paused = await newest("pause");
    expect(paused).toMatchObject({ state: "paused", reason: "lunch" });
    const committed = paused.counters.documents;
    expect(committed).toBeGreaterThanOrEqual(3);
    expect(committed).toBeLessThan(10);
    expect(paused.counters.embedded).toBe(committed);
    await pauseRun(control(), paused, "again");

    const setup = await world.setup("pause", sourceOf("test:pause", TEN));
    const [record] = await world.store.namespaces.list("pause");
    await expect(continueRun(setup, paused, record!)).rejects.toMatchObject({ code: "EMB_RUN_NOT_READY" });
    expect(world.embedded()).toEqual([]);

    const resumed = await resumeRun(control(), paused);
    expect(resumed.state).toBe("fill");
    expect((await resumeRun(control(), resumed)).state).toBe("fill"); // it goes on already: nothing to do, nothing to write down
    const { run } = await continueRun(setup, resumed, record!);
    expect(run).toMatchObject({ state: "ready", counters: { documents: 10, embedded: 10 } });
    expect(world.embedded()).toHaveLength(10 - committed);
    expect(await actions(run)).toEqual(["run.started", "run.paused", "run.resumed", "run.ready"]);
  });

  it("a run that was paused before its source was read to its end goes on with the source", async () => {
    const stop = new AbortController();
    const source = sourceOf("test:early", TEN);
    const begun = await world.setup("early", source, {
      signal: stop.signal,
      onProgress: ({ kind }) => kind === "run" && stop.abort(new Error("killed")),
    });
    await expect(reingest(begun)).rejects.toThrow("killed");
    const paused = await pauseRun(control(), await newest("early"), "lunch");
    expect(paused).toMatchObject({ state: "paused", intakeDone: false });
    expect((await resumeRun(control(), paused)).state).toBe("plan");
    expect(await reingest(await world.setup("early", source))).toMatchObject({ state: "ready", resumed: true });
  });

  it.each([
    ["paused", (run: Run) => pauseRun(control(), run, "lunch")],
    ["aborted", (run: Run) => abortRun(control(), run)],
  ])("a run that is %s while its source is read stops reading", async (state, act) => {
    const base = `reading-${state}`;
    const asked: string[] = [];
    const source: Source = {
      identity: `test:${base}`,
      async *read() {
        for (let number = 0; number < 10_000; number++) {
          const id = `d${number}`;
          asked.push(id);
          if (number === 1_500) await act(await newest(base));
          yield { kind: "document", id, title: null, format: "text", text: "", metadata: {}, version: null };
        }
      },
    };
    let seconds = 0;
    const nowMs = () => ++seconds * 1000;
    await expect(reingest({ ...(await world.setup(base, source)), nowMs })).rejects.toMatchObject({
      code: "EMB_RUN_NOT_READY",
      message: expect.stringContaining(`seen state ${state}`),
    });
    expect(asked.length).toBeLessThan(5_000);
    expect(await newest(base)).toMatchObject({ state, intakeDone: false });
  });

  it("the same re-ingest resumes a paused run", async () => {
    await disturb("same", (run) => pauseRun(control(), run, "lunch"));
    const report = await reingest(await world.setup("same", sourceOf("test:same", TEN)));
    expect(report).toMatchObject({ state: "ready", resumed: true, chunks: { total: 10, embedded: 10 } });
  });

  it("a paused run is replaced by one from another source", async () => {
    await disturb("moved", (run) => pauseRun(control(), run, "lunch"));
    const report = await reingest(await world.setup("moved", sourceOf("test:moved-elsewhere", TEN)));
    expect(report).toMatchObject({ state: "ready", resumed: false, chunks: { total: 10 } });
  });

  it("abort ends a fill that is going on and drops what it filled", async () => {
    const error = await disturb("abort", (run) => abortRun(control(), run));
    expect(error).toMatchObject({ code: "EMB_RUN_NOT_READY" });
    const aborted = await newest("abort");
    expect(aborted.state).toBe("aborted");
    expect((await world.store.namespaces.list("abort")).map(({ state }) => state)).toEqual(["retired"]);
    expect(await actions(aborted)).toEqual(["run.started", "run.aborted"]);
    await expect(abortRun(control(), aborted)).rejects.toMatchObject({ code: "EMB_RUN_STATE_REFUSED" });
    await expect(retryRun(control(), aborted, AGAIN)).rejects.toMatchObject({
      message: `run ${aborted.id} cannot be retried: expected ready or failed, seen aborted`,
    });
    const anew = await reingest(await world.setup("abort", sourceOf("test:abort", TEN)));
    expect(anew).toMatchObject({ state: "ready", resumed: false, chunks: { embedded: 10 } });
  });

  it("a command that only follows says that its run was aborted", async () => {
    let aborting: Promise<unknown> | undefined;
    const setup = await world.setup("followed", sourceOf("test:followed", TEN), {
      onProgress({ kind }) {
        if (kind === "waiting") aborting ??= newest("followed").then((run) => abortRun(control(), run));
      },
    });
    const sleep = async () => void (await aborting);
    const report = await reingest({ ...setup, filledBy: "queue", sleep });
    expect(report).toMatchObject({ state: "aborted", reason: "aborted by an operator", chunks: { total: 0 } });
  });

  it("an abort that was cut off before it dropped anything is gone on with, unless another run fills there by now", async () => {
    const cutOff = async () => {
      const stop = new AbortController();
      const onProgress = ({ kind }: Progress) => kind === "taken-in" && stop.abort(new Error("stopped"));
      const source = sourceOf("test:cut-off", TEN);
      const filling = reingest(await world.setup("cut-off", source, { signal: stop.signal, onProgress }));
      await expect(filling).rejects.toThrow("stopped");
      const run = await newest("cut-off");
      await world.store.runs.transition(run.id, { from: [run.state], to: "aborted", reason: "" });
      return newest("cut-off");
    };
    const first = await cutOff();
    const second = await cutOff();
    expect(second.namespaceId).toBe(first.namespaceId);
    await expect(abortRun(control(), first)).rejects.toMatchObject({ code: "EMB_RUN_STATE_REFUSED" });
    expect(await abortRun(control(), second)).toMatchObject({ run: { state: "aborted" }, dropped: true });
    expect((await world.store.namespaces.list("cut-off")).map(({ state }) => state)).toEqual(["retired"]);
    expect(await actions(second)).toEqual(["run.started", "run.aborted"]);
    await expect(abortRun(control(), second)).rejects.toMatchObject({ code: "EMB_RUN_STATE_REFUSED" });
  });

  it("abort keeps a namespace that was ready before the run", async () => {
    await reingest(await world.setup("kept", sourceOf("test:kept", TEN)));
    const stop = new AbortController();
    const changed = sourceOf("test:kept", { ...TEN, "doc-1.txt": "Ferry one is new." });
    const onProgress = ({ kind }: Progress) => kind === "taken-in" && stop.abort(new Error("stopped"));
    await expect(
      reingest(await world.setup("kept", changed, { signal: stop.signal, onProgress: (now) => void onProgress(now) })),
    ).rejects.toThrow("stopped");
    const paused = await pauseRun(control(), await newest("kept"), "lunch");
    const { run, dropped } = await abortRun(control(), paused);
    expect({ state: run.state, dropped }).toEqual({ state: "aborted", dropped: false });
    const kept = (await world.store.namespaces.find({ base: "kept", suffix: "one" }))!;
    expect(kept.state).toBe("ready");
    // what only the run would have brought is brought by whoever keeps the namespace fresh
    expect(await world.store.changes.find(kept.id, Object.keys(TEN))).toEqual([
      { documentId: "doc-1.txt", state: "queued" },
    ]);
  });

  it("retry gives the model what was refused once more, and nothing else", async () => {
    const bad = { ...TEN, "broken.txt": { code: "EMB_DOCUMENT_UNREADABLE", reason: "not UTF-8" } as const };
    await reingest(await world.setup("retry", sourceOf("test:retry", bad), { refuse: refuseSeven }));
    const failed = await newest("retry");
    expect(failed).toMatchObject({ state: "failed", failures: 2 });

    const retried = await retryRun(control(), failed, AGAIN);
    expect(retried).toMatchObject({ texts: 1, run: { state: "plan", intakeDone: true, source: "test:retry" } });
    const setup = await world.setup("retry", sourceOf("test:retry", TEN), { acceptFailures: 1 });
    const { run } = await handOver(setup, retried!.run, retried!.record);
    expect(world.embedded()).toEqual(["Ferry number 7 leaves at 7 o'clock."]);
    // the document that nobody could read stays named, and what was accepted stays with the run
    expect(run).toMatchObject({ state: "ready", failures: 1, acceptFailures: 1, counters: { embedded: 1 } });
    expect(await actions(failed)).toEqual(["run.started", "run.failed", "run.retried"]);
    expect(await retryRun(control(), run, AGAIN)).toBeNull();
    await expect(retryRun(control(), failed, AGAIN)).rejects.toMatchObject({ code: "EMB_RUN_STATE_REFUSED" });
  });

  it("retry asked for twice at once is one run", async () => {
    await reingest(await world.setup("retry-twice", sourceOf("test:retry-twice", TEN), { refuse: refuseSeven }));
    const failed = await newest("retry-twice");
    const retries = await Promise.allSettled([retryRun(control(), failed, AGAIN), retryRun(control(), failed, AGAIN)]);
    expect(retries.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(retries.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "EMB_RUN_STATE_REFUSED" },
    });
    expect(await world.store.runs.list({ base: "retry-twice" })).toHaveLength(2);
  });

  it("retry gives the model what a ready run was told to accept, and what live changes set aside", async () => {
    const refuse = refuseSeven;
    const source = sourceOf("test:both", TEN);
    await reingest(await world.setup("both", source, { refuse, acceptFailures: 1 }));
    const ready = await newest("both");
    expect(ready).toMatchObject({ state: "ready", failures: 1 });
    const version = await world.store.documents.nextVersion();
    const document = { ...textOf("Ferry number 20 is late."), id: "late.txt", version };
    await world.store.documents.put({ base: "both", source: "put", document });
    const { changes } = world.store;
    const { namespaceId } = ready;
    const [change] = await changes.claim({ namespaceId, limit: 1, claimMs: 1000 });
    await changes.giveUp({ namespaceId, change: change!, code: "EMB_INTERNAL", reason: "TypeError" });

    const retried = await retryRun(control(), ready, AGAIN);
    expect(retried?.texts).toBe(2);
    const setup = await world.setup("both", source);
    expect((await handOver(setup, retried!.run, retried!.record)).run).toMatchObject({ state: "ready", failures: 0 });
    expect([...world.embedded()].toSorted()).toEqual([
      "Ferry number 20 is late.",
      "Ferry number 7 leaves at 7 o'clock.",
    ]);
    expect(await changes.setAside(namespaceId, 10)).toEqual([]);
  });

  it("retry of a run over a part of the source stays within that part", async () => {
    const whole = sourceOf("test:part", TEN);
    const part = scopeSource(whole, { scopes: ["path:doc-{6,7}.txt"], limit: null });
    await reingest(await world.setup("part", part, { refuse: refuseSeven }));
    const failed = await newest("part");
    expect(failed).toMatchObject({ partial: true, failures: 1 });
    await world.store.documents.intake({
      base: "part",
      runId: failed.id,
      source: "test:other",
      documents: [{ ...textOf("Ferry number 30 is of no run."), id: "a.txt", version: failed.version }],
    });
    // as a live change, because the run is over; a worker has taken that
    const { namespaceId } = failed;
    const claimed = await world.store.changes.claim({ namespaceId, limit: 10, claimMs: 60_000 });
    expect(claimed.map(({ documentId }) => documentId)).toContain("a.txt");
    const retried = await retryRun(control(), failed, AGAIN);
    expect(retried).toMatchObject({ texts: 1, run: { partial: true, documentsTotal: 1 } });
    await handOver(await world.setup("part", part), retried!.run, retried!.record);
    expect(world.embedded()).toEqual(["Ferry number 7 leaves at 7 o'clock."]);
  });

  it("retry is refused for a run that goes on, and for one whose namespace was retired", async () => {
    await disturb("early-retry", (run) => pauseRun(control(), run, "lunch"));
    const paused = await newest("early-retry");
    // a namespace that is filling belongs to its run: what is left of it is not given to the model as live changes, past every limit
    expect(await queueWhatRunsLeft(world.store, [paused])).toBe(0);
    await expect(retryRun(control(), paused, AGAIN)).rejects.toMatchObject({
      code: "EMB_RUN_STATE_REFUSED",
      message: `run ${paused.id} cannot be retried: expected ready or failed, seen paused`,
    });
    const { runId } = await reingest(await world.setup("gone", sourceOf("test:gone", TEN)));
    const run = (await world.store.runs.get(runId))!;
    await world.store.namespaces.retire(run.namespaceId);
    await expect(retryRun(control(), run, AGAIN)).rejects.toMatchObject({
      code: "EMB_RUN_STATE_REFUSED",
      message: expect.stringContaining("expected a run whose namespace is still there"),
    });
  });

  it("accepts as many failures as it was told, and writes that down", async () => {
    const source = sourceOf("test:accept", TEN);
    const two = (text: string) => (/number [37]/.test(text) ? refuseSeven("number 7") : null);
    const one = await reingest(await world.setup("accept", source, { refuse: two, acceptFailures: 1 }));
    expect(one.state).toBe("failed");
    const enough = await reingest(await world.setup("accept", source, { refuse: two, acceptFailures: 2 }));
    expect(enough).toMatchObject({ state: "ready", chunks: { total: 8, failed: 2 } });
    expect((await world.store.audit.list({ limit: 1 }))[0]).toMatchObject({
      action: "run.ready",
      detail: { run_id: enough.runId, set_aside: 2, accept_failures: 2 },
    });
  });

  it("a run that fails leaves a namespace that was ready to be kept fresh: what it lacks is queued", async () => {
    await reingest(await world.setup("serving", sourceOf("test:serving", TEN)));
    const changed = sourceOf("test:serving", { ...TEN, "doc-1.txt": "Ferry number 7 leaves at 1 o'clock." });
    const report = await reingest(await world.setup("serving", changed, { refuse: refuseSeven }));
    expect(report.state).toBe("failed");
    const { id, state } = (await world.store.namespaces.find({ base: "serving", suffix: "one" }))!;
    expect(state).toBe("ready");
    expect(await world.store.changes.find(id, Object.keys(TEN))).toEqual([
      { documentId: "doc-1.txt", state: "queued" },
    ]);
  });

  it("is refused what the state does not allow", async () => {
    const report = await reingest(await world.setup("done", sourceOf("test:done", TEN)));
    const run = (await world.store.runs.get(report.runId))!;
    const refused = { code: "EMB_RUN_STATE_REFUSED" };
    await expect(pauseRun(control(), run, "-")).rejects.toMatchObject(refused);
    await expect(resumeRun(control(), run)).rejects.toMatchObject({
      ...refused,
      message: `run ${run.id} cannot be resumed: expected paused, seen ready`,
    });
    await expect(abortRun(control(), run)).rejects.toMatchObject(refused);
    expect((await world.store.runs.get(run.id))?.state).toBe("ready");
  });
});
