import { marked, type Token } from "marked";
import { describe, expect, it } from "vitest";
import { ATTACKS } from "./attack-texts.fixture.js";
import { code, markdownSummary } from "./markdown-summary.js";
import { reportContent } from "./report-content.fixture.js";

/** Kinds of everything that a reader of GitHub's Markdown finds in it, in order. */
function kinds(markdown: string): string[] {
  const found: string[] = [];
  void marked.walkTokens(marked.lexer(markdown, { gfm: true }), ({ type }: Token) => {
    if (type !== "text" && type !== "escape") found.push(type);
  });
  return found;
}

describe("the summary of a comparison for a pull request", () => {
  const { comparison, ...rest } = reportContent();
  const summary = markdownSummary({ comparison, ...rest });

  it("says the verdict first, then why, then the numbers", () => {
    const { difference, lower, upper } = comparison.metrics!.ndcg;
    expect(summary.split("\n")[0]).toBe("### ✅ GO: `st_minilm` may take the place of `use_lite`.");
    expect(summary).toContain(`| nDCG@10 | 240 | `);
    expect(summary).toContain(`| +${difference.toFixed(4)} | +${lower.toFixed(4)} to +${upper.toFixed(4)} |`);
    for (const { name } of comparison.slices) expect(summary).toContain(`| \`${name}\` GO | 48 |`);
    expect(summary).toContain("| `use_lite` |");
    expect(summary).toContain(
      `For a service that cuts by score: score threshold ${comparison.calibration!.threshold} (`,
    );
    expect(summary).toContain("of `st_minilm` keeps the precision");
    expect(summary.length).toBeLessThan(6_000);
  });

  it("names the slice that fails, and what would settle what is open", () => {
    expect(markdownSummary(reportContent({ gain: -0.1 }))).toMatch(
      /- `slice \w+: ndcg@10: upper bound -0\.\d+ is below minus the margin/,
    );
    const open = reportContent({ gain: 0.003, queries: 60, settings: { scoreCut: null } });
    expect(markdownSummary(open)).toMatch(
      /^### ❔ INCONCLUSIVE: These queries do not tell whether `st_minilm` may take the place of `use_lite`\.\n\nAbout [\d,]+ judged queries/,
    );
  });

  it("warns of what a run file lacks beside the verdict, and names the first of it", () => {
    const lines = markdownSummary(reportContent({ queries: 40, lacking: 5 })).split("\n");
    expect(lines.slice(0, 7).find((line) => line.startsWith("⚠️"))).toBe(
      "⚠️ 8 of 40 judged queries are not in the candidate's run file (20%): they score 0, so the candidate may lose by that alone",
    );
    expect(lines.find((line) => line.startsWith("Odd about"))).toBe(
      "Odd about the input: 8 judged queries are not in the candidate's run file, so they score 0; the first: `q0004`, `q0009`, `q0014`, `q0019`, `q0024`.",
    );
    expect(summary).not.toContain("⚠️");
  });

  it.each(ATTACKS)("an attack in every text stays text: %j", (attack) => {
    const attackedSummary = markdownSummary(reportContent({ queries: 40, lacking: 5, attack }));
    const plainSummary = markdownSummary(reportContent({ queries: 40, lacking: 5 }));
    const attacked = kinds(attackedSummary);
    expect(attacked).toEqual(kinds(plainSummary));
    expect(attackedSummary.split("\n")).toHaveLength(plainSummary.split("\n").length);
    // every other control character than the end of a line
    expect(attackedSummary.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u);
    expect(new Set(attacked)).not.toContain("html");
    expect(new Set(attacked)).not.toContain("link");
  });

  it.each([
    ["plain", "`plain`"],
    ["a `b` c", "`` a `b` c ``"],
    ["``", "``` `` ```"],
    ["two\nlines", "`two lines`"],
    [" air ", "`  air  `"],
    ["a\r\n\u2028\u0085\u001Bb", "`a b`"],
    ["a\u202Eb\u2067c", "`a\uFFFDb\uFFFDc`"],
  ])("a code span of %j", (text, span) => {
    expect(code(text)).toBe(span);
  });
});
