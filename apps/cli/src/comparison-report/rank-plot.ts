import type { Comparison } from "@emb/eval";
import { figure } from "./figure.js";
import { html, type Html } from "./markup.js";
import { counted, whole } from "./number-text.js";

const SIZE = 420;
const LEFT = 58;
const BOTTOM = 44;
const ENDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100];

/** Where the first relevant document of each query stood before and stands now: a point for each pair of ranks, as large as it is frequent. */
export function rankPlot({ perQuery, settings, baseline, candidate }: Comparison): Html | null {
  if (perQuery.length === 0) return null;
  const bins = binsTo(settings.k);
  const cells = new Map<string, { x: number; y: number; count: number }>();
  for (const query of perQuery) {
    const [x, y] = [binOf(query.baselineRank, bins), binOf(query.candidateRank, bins)];
    const cell = cells.get(`${x} ${y}`) ?? { x, y, count: 0 };
    cells.set(`${x} ${y}`, { ...cell, count: cell.count + 1 });
  }
  const all = [...cells.values()].toSorted((a, b) => b.count - a.count);
  const step = (SIZE - LEFT - 2) / (bins.length + 1);
  const height = step * (bins.length + 1) + BOTTOM;
  const at = (bin: number) => (bin + 0.5) * step;
  const most = all[0]!.count;
  // areas speak, not widths; the least point can still be seen
  const radius = (count: number) => Math.max(2.5, (step / 2 - 1) * Math.sqrt(count / most));
  const up = sum(all.filter(({ x, y }) => y < x));
  const down = sum(all.filter(({ x, y }) => y > x));
  const labels = [...bins.map(({ label }) => label), "none"];
  return figure({
    id: "ranks",
    title: "Rank of the first relevant document",
    says: `${counted(up, "query", "queries")} rose, ${whole(down)} fell, ${whole(perQuery.length - up - down)} stayed. A larger point is more queries; above the diagonal the candidate is better. “none”: not among the first ${settings.k}.`,
    body: html`<svg class="square" viewBox="0 0 ${SIZE} ${height}" aria-hidden="true" focusable="false">
      <svg x="${LEFT}" y="0" width="${SIZE - LEFT}" height="${height - BOTTOM}" overflow="visible">
        ${labels.map((_, bin) => html`<line class="grid" x1="${at(bin)}" x2="${at(bin)}" y1="0" y2="${step * labels.length}" /><line class="grid" y1="${at(bin)}" y2="${at(bin)}" x1="0" x2="${step * labels.length}" />`)}
        <line class="diagonal" x1="0" y1="0" x2="${step * labels.length}" y2="${step * labels.length}" />
        ${all.map(({ x, y, count }) => html`<circle class="rank ${y < x ? "better" : y > x ? "worse" : "same"}" cx="${at(x)}" cy="${at(y)}" r="${radius(count).toFixed(2)}"><title>${counted(count, "query", "queries")}: rank ${labels[x]} to ${labels[y]}</title></circle>`)}
        ${labels.map((label, bin) => html`<text class="tick" x="${at(bin)}" y="${step * labels.length + 18}" text-anchor="middle">${label}</text><text class="tick" x="-8" y="${at(bin) + 4}" text-anchor="end">${label}</text>`)}
      </svg>
      <text class="axis-name" x="${LEFT + (step * labels.length) / 2}" y="${height - 4}" text-anchor="middle">
        rank in the baseline
      </text>
      <text class="axis-name" transform="translate(12 ${(step * labels.length) / 2}) rotate(-90)" text-anchor="middle">
        rank in the candidate
      </text>
    </svg>`,
    numbers: {
      head: [`${baseline.name} (rows) to ${candidate.name}`, ...labels],
      rows: labels.map((label, x) => [label, ...labels.map((_, y) => String(cells.get(`${x} ${y}`)?.count ?? 0))]),
    },
  });
}

/** Ranks one by one up to ten, then in growing steps. */
function binsTo(k: number): { last: number; label: string }[] {
  const ends = [...ENDS.filter((end) => end < k), k];
  return ends.map((last, place) => {
    const first = (ends[place - 1] ?? 0) + 1;
    return { last, label: first === last ? String(last) : `${first}–${last}` };
  });
}

const binOf = (rank: number | null, bins: readonly { last: number }[]): number => {
  const place = rank === null ? -1 : bins.findIndex(({ last }) => rank <= last);
  return place < 0 ? bins.length : place;
};

const sum = (cells: readonly { count: number }[]): number => cells.reduce((total, { count }) => total + count, 0);
