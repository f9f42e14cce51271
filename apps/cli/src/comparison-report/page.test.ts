import { describe, expect, it } from "vitest";
import { ATTACKS } from "./attack-texts.fixture.js";
import { extremes } from "./difference-plot.js";
import { reportPage } from "./page.js";
import { reportContent } from "./report-content.fixture.js";

/** Elements and names of attributes, without any text or value. */
const skeleton = (page: string): string =>
  (page.replace(/<style>[^]*<\/style>/, "").match(/<[^>]*>/g) ?? [])
    .map((tag) => tag.replaceAll(/="[^"]*"/g, "="))
    .join("");
const words = (page: string): string =>
  page
    .replaceAll(/<\/?bdi>/g, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");

describe("the page of a comparison", () => {
  const content = reportContent();
  const { comparison } = content;
  const page = reportPage(content);

  it("says the verdict first, in words, with the interval that decides it", () => {
    const { difference, lower, upper } = comparison.metrics!.ndcg;
    const text = words(page);
    expect(comparison.verdict.kind).toBe("GO");
    expect(page).toContain("<title>GO: use_lite to st_minilm</title>");
    expect(text).toContain("GO st_minilm may take the place of use_lite.");
    expect(text).toContain(`+${difference.toFixed(4)}`);
    expect(text).toContain(`Between +${lower.toFixed(4)} and +${upper.toFixed(4)}`);
    expect(text.indexOf("may take the place")).toBeLessThan(text.indexOf("Each metric over all judged queries"));
  });

  it.each([
    ["NO-GO", { gain: -0.1 }, "st_minilm must not take the place of use_lite."],
    [
      "INCONCLUSIVE",
      { gain: 0.003, queries: 60, settings: { scoreCut: null } },
      "These queries do not tell whether st_minilm may take the place of use_lite.",
    ],
  ] as const)("%s has its own sentence", (kind, shape, sentence) => {
    const other = reportContent(shape);
    expect(other.comparison.verdict.kind).toBe(kind);
    expect(words(reportPage(other))).toContain(`${kind} ${sentence}`);
  });

  it("shows every metric, slice, limit, setting and hash with its number", () => {
    const text = words(page);
    for (const { baseline, candidate } of Object.values(comparison.metrics!)) {
      expect(text).toContain(baseline.toFixed(4));
      expect(text).toContain(candidate.toFixed(4));
    }
    for (const { name, result } of comparison.slices) {
      expect(text).toContain(name);
      expect(text).toContain(`+${result.difference.toFixed(4)}`);
    }
    for (const hash of [...Object.values(content.origin.inputs), content.origin.baselineFingerprint!])
      expect(text).toContain(hash);
    expect(text).toContain("p95 60 ms, p95 1.5 times the baseline&#39;s");
    expect(text).toContain("200, 1");
    const { threshold, reached } = comparison.calibration!;
    expect(text).toMatch(
      new RegExp(
        `For a service that cuts by score: score threshold ${threshold} .*: it has ${reached!.toFixed(4)}, and`,
      ),
    );
    expect(text).toContain("exact, every vector scanned");
  });

  it("counts in its plots what the comparison holds", () => {
    const { perQuery } = comparison;
    const counts = [1, 0, -1].map((sign) => perQuery.filter(({ difference }) => Math.sign(difference) === sign).length);
    expect(words(page)).toContain(`${counts[0]} better, ${counts[1]} equal, ${counts[2]} worse.`);
    const same = perQuery.filter(({ baselineRank, candidateRank }) => baselineRank === 1 && candidateRank === 1).length;
    expect(page).toContain(`<title>${same} queries: rank 1 to 1</title>`);
    const points = [...page.matchAll(/<title>\s*(\d+) quer(?:y|ies): rank/g)].map(([, count]) => Number(count));
    expect(points.reduce((sum, count) => sum + count, 0)).toBe(perQuery.length);
    const bins = [...page.matchAll(/<title>\s*(\d+) quer(?:y|ies) from/g)].map(([, count]) => Number(count));
    expect(bins.reduce((sum, count) => sum + count, 0)).toBe(2 * comparison.similarity.bestScores.length);
    expect(words(page)).toContain(
      `use_lite: half within ${comparison.baseline.facts.latencyMs!.p50.toPrecision(3)} ms`,
    );
  });

  it("shows the ten queries that lost and won most, with both lists", () => {
    const { worst, best } = extremes(comparison.perQuery, 10);
    expect([worst.length, best.length]).toEqual([10, 10]);
    expect(page.match(/<details class="query"/g)).toHaveLength(20);
    for (const { text, baselineDocuments, candidateDocuments } of [...worst, ...best]) {
      expect(page).toContain(text);
      for (const { id, score } of [...baselineDocuments, ...candidateDocuments]) {
        expect(page).toContain(`<bdi>${id}</bdi>`);
        expect(page).toContain(score.toFixed(3));
      }
    }
    expect(worst[0]!.difference).toBe(Math.min(...comparison.perQuery.map(({ difference }) => difference)));
  });

  it("is equal, to the byte, for equal content", () => {
    expect(reportPage(reportContent())).toBe(page);
  });

  it("names nothing that a browser would fetch or run", () => {
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|form|base)\b/i);
    expect(page).not.toMatch(/\b(src|srcset|action|xlink:href|style|on\w+)\s*=/i);
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, target]) => target!.startsWith("#"))).toBe(true);
    expect(page).not.toMatch(/url\(|@import|https?:/);
    expect(page).toContain("default-src &#39;none&#39;");
  });

  it("says without judgements that only likeness can be said", () => {
    const text = words(reportPage(reportContent({ judged: false, settings: { scoreCut: null } })));
    expect(text).toContain("Without judgements there is no metric");
    expect(text).toContain("240 queries have no judgement");
    expect(text).toContain("Best score of each query");
    expect(text).not.toContain("NaN");
  });

  it("warns of what a run file lacks beside the verdict, and names the first of it", () => {
    const text = words(reportPage(reportContent({ queries: 40, lacking: 5 })));
    const warning =
      "Warning. 8 of 40 judged queries are not in the candidate&#39;s run file (20%): they score 0, so the candidate may lose by that alone.";
    expect(text.indexOf(warning)).toBeGreaterThan(0);
    expect(text.indexOf(warning)).toBeLessThan(text.indexOf("Each metric over all judged queries"));
    expect(text).toContain("so they score 0; the first: q0004, q0009, q0014, q0019, q0024");
    expect(words(page)).not.toContain("Warning.");
  });

  it("has no NaN, null or undefined among its words, whatever the shape", () => {
    for (const shape of [
      {},
      { queries: 1 },
      { queries: 12, settings: { k: 100 } },
      { gain: 0, settings: { sliceBy: null, margin: 0 } },
    ])
      expect(words(reportPage(reportContent(shape)))).not.toMatch(/\b(NaN|Infinity|null|undefined|\[object)\b/);
  });

  it.each(ATTACKS)("an attack in every text stays text: %j", (attack) => {
    const attacked = reportPage(reportContent({ queries: 40, lacking: 5, attack }));
    expect(skeleton(attacked)).toBe(skeleton(reportPage(reportContent({ queries: 40, lacking: 5 }))));
    if (/[<>"']/.test(attack)) expect(attacked).not.toContain(attack);
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    expect(attacked).not.toMatch(/[\u0000-\u0008\uD800-\uDFFF]/u);
  });
});
