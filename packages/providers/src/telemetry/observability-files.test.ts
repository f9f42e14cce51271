import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { LABEL_VALUES, METRICS, prometheusName, type MetricRow } from "./metric-table.js";

const folder = new URL("../../../../docs/observability/", import.meta.url);
const readFile = (name: string) => readFileSync(new URL(name, folder), "utf8");

const metrics = Object.values<MetricRow>(METRICS);
const sanitised = (label: string) => label.replaceAll(".", "_");
const seriesNames = new Set(
  metrics.flatMap((row) =>
    row.kind === "histogram"
      ? ["_bucket", "_sum", "_count"].map((part) => prometheusName(row) + part)
      : [prometheusName(row)],
  ),
);
const labelNames = new Set([
  ...["profile", "provider", "model", "dims", "namespace", "namespace_mode", "strict_mode"].map(
    (n) => `embedding_${n}`,
  ),
  "embedding_profile_swappable",
  "embedding_profile_experiment",
  ...metrics.flatMap(({ labels }) => Object.keys(labels).map(sanitised)),
]);

/** What of a text looks like one of our metrics and is none, nor a label. */
const unknownNames = (text: string): string[] =>
  [...text.matchAll(/\b(?:embedding|gen_ai|db_client)_\w+/g)]
    .map(([name]) => name)
    .filter((name) => !seriesNames.has(name) && !labelNames.has(name));

/** Values in matchers of our closed labels that no series ever has. */
const unknownValues = (text: string): string[] => {
  const known: Readonly<Record<string, readonly string[]>> = {
    ...LABEL_VALUES,
    outcome: [...LABEL_VALUES.outcome, ...LABEL_VALUES.guard_outcome, ...LABEL_VALUES.shadow_outcome],
  };
  return [...text.matchAll(/\b(\w+)(?:=|!=|=~|!~)"([^"]*)"/g)].flatMap(([, label = "", values = ""]) =>
    label in known ? values.split("|").filter((value) => known[label]?.includes(value) === false) : [],
  );
};

describe("docs/observability", () => {
  it("lists every metric as the code has it", () => {
    const rows = metrics.map((row) => {
      const labels = Object.keys(row.labels).map((label) => `\`${sanitised(label)}\``);
      return [`\`${prometheusName(row)}\``, row.kind, row.unit, labels.join(", "), row.meaning];
    });
    const listed = readFile("README.md")
      .split("\n")
      .filter((line) => /^\| `(embedding|gen_ai|db_client)_/.test(line))
      .map((line) =>
        line
          .split("|")
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    expect(listed).toEqual(rows);
  });

  it.each(["dashboard.json", "alerts.yaml"])("%s asks only for metrics, labels and values that there are", (name) => {
    const text = readFile(name).replaceAll(String.raw`\"`, '"');
    expect([...text.matchAll(/\b(?:embedding|gen_ai|db_client)_\w+/g)].length).toBeGreaterThan(10);
    expect(unknownNames(text)).toEqual([]);
    expect(unknownValues(text)).toEqual([]);
    expect(unknownNames("rate(embedding_provider_callz_total[5m])")).toEqual(["embedding_provider_callz_total"]);
    expect(unknownValues('{outcome=~"ok|EMB_STORE_FULL",state="ajar"}')).toEqual(["EMB_STORE_FULL", "ajar"]);
  });

  it("the dashboard shows every metric but the call's tokens, and takes its data source from a variable", () => {
    const text = readFile("dashboard.json");
    const unshown = metrics.map(prometheusName).filter((name) => !text.includes(name));
    expect(unshown).toEqual(["gen_ai_client_token_usage"]);
    const sources = [...text.matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(sources)).toEqual(new Set(["${datasource}", "emb-profiles"]));
  });

  const promtool = spawnSync("promtool", ["--version"]).status === 0;
  if (!promtool)
    process.stderr.write("skipped: promtool check and test rules, because promtool is not on PATH (apt: prometheus)\n");
  it.skipIf(!promtool).each([
    ["check", "alerts.yaml"],
    ["test", "alerts.test.yaml"],
  ])("passes promtool %s rules", (verb, name) => {
    const run = spawnSync("promtool", [verb, "rules", name], { cwd: fileURLToPath(folder), encoding: "utf8" });
    expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
    expect(run.stdout).toContain("SUCCESS");
  });
});
