/** Damerau-Levenshtein distance (optimal string alignment): insert, delete, replace or swap two neighbours cost 1 each. */
export function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => table[i * width + j] ?? 0;
  for (let i = 0; i <= a.length; i++) table[i * width] = i;
  for (let j = 0; j <= b.length; j++) table[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replace = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(i - 2, j - 2) + 1);
      table[i * width + j] = best;
    }
  }
  return at(a.length, b.length);
}

const fold = (text: string) => text.toLowerCase().replaceAll("-", "_");

/**
 * The candidate that somebody who typed `seen` most likely meant, or null when none is near. Letter case, `-` and `_` are
 * free; otherwise up to a third of the letters may differ. A candidate that `seen` begins (at least three letters: `prod`,
 * `production`) is near too. Equal distance: the earlier candidate.
 */
export function nearest(seen: string, candidates: Iterable<string>): string | null {
  const wanted = fold(seen).slice(0, 100); // an absurd input costs no more than a long name
  let best: { name: string; distance: number } | null = null;
  for (const name of candidates) {
    const folded = fold(name);
    const begins = wanted.length >= 3 && folded.startsWith(wanted);
    const distance = begins ? 1 : editDistance(wanted, folded);
    const allowed = Math.floor(Math.max(wanted.length, folded.length) / 3);
    if (distance <= Math.max(1, allowed) && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best?.name ?? null;
}
