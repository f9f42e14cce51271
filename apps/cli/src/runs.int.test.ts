import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { join } from "node:path";
import { z } from "zod";
import { createEmbeddedDriver } from "@emb/store";
import { copyProject, createProject, documentOf, failureOf, type Project } from "./command.fixture.js";
import { runs as runsCommand } from "./commands/runs.js";
import { terminalIn } from "./terminal.fixture.js";

const DOCUMENTS = 200;
const FILL = ["reingest", "--to", "one", "--source", "long.jsonl", "--yes"];

/** Long enough that the fill takes seconds on any machine; every text different. */
const LONG = Array.from({ length: DOCUMENTS }, (_, place) => {
  const text = Array.from({ length: 60 }, (_word, word) => `ferry${(place * 31 + word * 7) % 997}`).join(" ");
  return JSON.stringify({ id: `d${String(place).padStart(4, "0")}`, text: `${place}: ${text}` });
}).join("\n");

const Runs = z.object({
  runs: z.array(
    z.object({
      run_id: z.string(),
      state: z.string(),
      reason: z.string(),
      progress: z.object({ documents: z.number(), embedded: z.number() }),
      spend: z.object({ tokens: z.number(), cost_usd: z.number().nullable(), max_cost_usd: z.number().nullable() }),
    }),
  ),
});
const Dropped = z.object({ dropped: z.boolean() });
const Status = z.object({ namespaces: z.array(z.object({ state: z.string() })) });

const runsOf = async (project: Project, ...args: string[]) =>
  documentOf(await project.emb(["runs", ...args, "--json"]), Runs).runs;

describe("emb runs of a run that died", () => {
  let killed: Project;
  let project: Project;
  let id: string;
  beforeAll(async () => {
    killed = await createProject({
      "config/production.yaml": "embedding: { profile: one }\ningest: { commit_rows: 32, shard_documents: 300 }\n",
      "long.jsonl": LONG,
    });
    const running = killed.start(FILL);
    await running.says(/^fill .* [1-9]\d* chunks, /m);
    await running.kill("SIGKILL");
    id = (await runsOf(killed))[0]!.run_id;
  });
  afterAll(() => killed.remove());
  beforeEach(async () => {
    project = await copyProject(killed);
  });
  afterEach(() => project.remove());

  const runs = (...args: string[]) => runsOf(project, ...args);

  it("shows a run that died with what it spent, pauses it, and goes on with it without its source", async () => {
    const [died] = await runs();
    expect(died).toMatchObject({ state: "fill", spend: { cost_usd: null, max_cost_usd: null } });
    expect(died!.spend.tokens).toBeGreaterThan(0);
    expect(await runs("pause", id)).toMatchObject([{ run_id: id, state: "paused", reason: "paused by an operator" }]);
    const { stdout } = await project.emb(["runs"]);
    expect(stdout).toMatch(new RegExp(`^${id}  one +docs_one +paused +`, "m"));
    expect(stdout).toContain("price unknown");

    await project.write("long.jsonl", "not to be read again");
    const resumed = await project.emb(["runs", "resume", id, "--json"]);
    expect(resumed.code).toBe(0);
    expect(documentOf(resumed, Runs).runs).toMatchObject([
      { run_id: id, state: "ready", progress: { documents: DOCUMENTS, embedded: DOCUMENTS } },
    ]);
    const again = await project.emb(["runs", "resume", id, "--json"]);
    expect({ exit: again.code, code: failureOf(again).code }).toEqual({ exit: 1, code: "EMB_RUN_STATE_REFUSED" });
    const nothing = await project.emb(["runs", "retry", id, "--json"]);
    expect({ exit: nothing.code, runs: documentOf(nothing, Runs).runs.map(({ state }) => state) }).toEqual({
      exit: 0,
      runs: ["ready"],
    });
  });

  it("aborts only when told, and drops what was filled", async () => {
    const asked = await project.emb(["runs", "abort", id, "--json"]);
    expect({ exit: asked.code, code: failureOf(asked).code }).toEqual({ exit: 2, code: "EMB_CONSENT_REQUIRED" });
    const declined = runsCommand(terminalIn(project, "n").session, { verb: "abort", id, yes: false });
    await expect(declined).rejects.toMatchObject({ message: "not confirmed, nothing was done" });
    expect((await runs())[0]?.state).toBe("fill");
    const aborted = await project.emb(["runs", "abort", id, "--yes", "--json"]);
    expect(documentOf(aborted, Dropped).dropped).toBe(true);
    expect(documentOf(aborted, Runs).runs[0]).toMatchObject({ run_id: id, state: "aborted" });
    expect(documentOf(await project.emb(["status", "--json"]), Status).namespaces).toEqual([{ state: "retired" }]);
  });
});

describe("emb runs of a run that set something aside", () => {
  let project: Project;
  let id: string;
  const reingest = (...args: string[]) =>
    project.emb(["reingest", "--to", "one", "--source", "torn.jsonl", "--yes", ...args]);
  const move = async (verb: string, ...args: string[]) => {
    const moved = await project.emb(["runs", verb, id, ...args, "--json"]);
    const [run] = moved.stdout.includes('"runs"') ? documentOf(moved, Runs).runs : [];
    return { exit: moved.code, seen: run === undefined ? failureOf(moved).code : run.state };
  };
  /** The run as an operator paused it before its end, and more. */
  const paused = async (more = "") => {
    const driver = await createEmbeddedDriver({ directory: join(project.dir, ".emb", "postgres") });
    await driver.exec(`UPDATE emb.runs SET state = 'paused', accept_failures = 0 ${more} WHERE id = '${id}'`);
    await driver.close();
  };
  const now = async () => {
    const run = (await runsOf(project)).find(({ run_id }) => run_id === id)!;
    return { state: run.state, limit: run.spend.max_cost_usd };
  };
  beforeAll(async () => {
    project = await createProject({
      "torn.jsonl":
        '{"id": "a", "text": "Ferry a leaves."}\n{"id": "b", "text":\n{"id": "c", "text": "Ferry c leaves."}\n',
    });
    expect((await reingest()).code).toBe(1);
    id = (await runsOf(project))[0]!.run_id;
  });
  afterAll(() => project.remove());

  it("a retry has nothing to give to the model again, and the run is as little ready as before", async () => {
    expect(await move("retry")).toEqual({ exit: 1, seen: "failed" });
    expect((await project.emb(["runs", "retry", id])).stdout).toContain(`run ${id} set aside no stored text`);
  });

  it.each([
    ["goes on from its shards", ""],
    ["reads its source again", ", intake_done = false"],
  ])("a resume that %s is not ready, unless told to accept as many", async (_, more) => {
    await paused(more);
    expect(await move("resume")).toEqual({ exit: 1, seen: "failed" });
    await paused(more);
    expect(await move("resume", "--accept-failures", "1")).toEqual({ exit: 0, seen: "ready" });
  });

  it("a resume that is refused leaves the run as it was", async () => {
    await paused();
    expect(await move("resume", "--max-cost-usd", "1")).toEqual({ exit: 78, seen: "EMB_PRICE_UNKNOWN" });
    expect(await now()).toEqual({ state: "paused", limit: null });
    await paused(", profile = 'two'");
    expect(await move("resume")).toEqual({ exit: 78, seen: "EMB_PROFILE_OVERRIDE_REFUSED" });
    expect((await now()).state).toBe("paused");
    await paused(", profile = 'one', intake_done = false, partial = true");
    expect(await move("resume")).toEqual({ exit: 2, seen: "EMB_USAGE" });
    expect((await now()).state).toBe("paused");
  });

  it("the same re-ingest is ready when told to accept it, and not before", async () => {
    expect((await reingest("--base", "other")).code).toBe(1);
    expect((await reingest("--base", "other", "--accept-failures", "1")).code).toBe(0);
  });
});

describe("emb runs with wrong arguments", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject();
  });
  afterAll(() => project.remove());

  it.each([
    [["pause"], "expected the id of a run"],
    [["pause", "nobody"], 'there is no run "nobody"'],
    [["puase", "nobody"], 'emb runs: expected pause, resume, abort, retry or nothing, got "puase"'],
  ])("says what is wrong with %j", async (args, message) => {
    const wrong = await project.emb(["runs", ...args, "--json"]);
    expect(wrong.code).toBe(2);
    expect(failureOf(wrong).errors[0]).toMatchObject({ code: "EMB_USAGE", message });
  });
});
