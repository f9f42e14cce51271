import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { z } from "zod";
import { createEmbeddedDriver } from "@emb/store";
import { createProject, documentOf, failureOf, ferries, profileYaml, type Project } from "./command.fixture.js";

const USD_PER_MILLION = 1000;
const FILL = ["reingest", "--to", "one", "--source", "docs", "--yes", "--json"];

const Plan = z.object({ tokens: z.number(), cost_usd: z.number() });
const Filled = z.object({ state: z.string(), tokens: z.number(), cost_usd: z.number().nullable() });
const Run = z.object({
  run_id: z.string(),
  state: z.string(),
  spend: z.object({ max_cost_usd: z.number().nullable() }),
});
const Runs = z.object({ runs: z.tuple([Run], Run) });
const Status = z.object({ namespaces: z.array(z.unknown()), runs: z.array(z.unknown()) });

describe("emb reingest --max-cost-usd", () => {
  let project: Project;
  beforeAll(async () => {
    const priced = `${profileYaml("one")}    price_per_million_tokens: ${USD_PER_MILLION}\n`;
    project = await createProject({
      ...ferries(5),
      "config/embedding_profiles.yaml": `profiles:\n${priced}${profileYaml("two")}`,
    });
  });
  afterAll(() => project.remove());

  it("refuses a plan over the limit with what it would take, and writes nothing", async () => {
    const refused = await project.emb([...FILL, "--max-cost-usd", "0.001"]);
    expect(refused.code).toBe(2);
    const { code, errors } = failureOf(refused);
    expect(code).toBe("EMB_BUDGET_TOO_LOW");
    const plan = documentOf(await project.emb(["plan", "--to", "one", "--source", "docs", "--json"]), Plan);
    expect(errors[0]?.message).toBe(
      `the plan costs ${Number(plan.cost_usd.toPrecision(6))} USD, which is over the limit of 0.001 USD`,
    );
    expect(documentOf(await project.emb(["status", "--json"]), Status)).toEqual({ namespaces: [], runs: [] });
  });

  it("refuses a limit where the price is unknown", async () => {
    const args = ["reingest", "--to", "two", "--source", "docs", "--yes", "--json", "--max-cost-usd", "5"];
    const refused = await project.emb(args, { EMBEDDING_PROFILE_EXPERIMENT: "two" });
    expect({ exit: refused.code, code: failureOf(refused).code }).toEqual({ exit: 78, code: "EMB_PRICE_UNKNOWN" });
  });

  it.each(["-1", "1e3", "free", ""])("refuses the limit %j", async (limit) => {
    const refused = await project.emb([...FILL, `--max-cost-usd=${limit}`]);
    expect({ exit: refused.code, code: failureOf(refused).code }).toEqual({ exit: 2, code: "EMB_USAGE" });
  });

  it("fills within the limit and says what it cost", async () => {
    const filled = await project.emb([...FILL, "--max-cost-usd", "1"]);
    expect(filled.code).toBe(0);
    const report = documentOf(filled, Filled);
    expect(report.state).toBe("ready");
    expect(report.tokens).toBeGreaterThan(50);
    expect(report.cost_usd).toBeCloseTo((report.tokens / 1e6) * USD_PER_MILLION, 9);
    expect(documentOf(await project.emb(FILL), Filled)).toEqual({ state: "ready", tokens: 0, cost_usd: 0 });
  });

  it("is kept with a run that is resumed", async () => {
    const [{ run_id: id }] = documentOf(await project.emb(["runs", "--json"]), Runs).runs;
    const driver = await createEmbeddedDriver({ directory: join(project.dir, ".emb", "postgres") });
    await driver.exec(`UPDATE emb.runs SET state = 'paused' WHERE id = '${id}'`);
    await driver.close();
    const resumed = await project.emb(["runs", "resume", id, "--max-cost-usd", "2.5", "--json"]);
    expect(documentOf(resumed, Runs).runs).toEqual([{ run_id: id, state: "ready", spend: { max_cost_usd: 2.5 } }]);
  });
});
