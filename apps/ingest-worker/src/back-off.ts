const FIRST_MS = 2_000;
const LONGEST_MS = 300_000;

/** How long to leave alone what has failed so many times in a row: doubled each time up to five minutes, a quarter of it at random. */
export const backOffMs = (failures: number, random: number): number =>
  Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS) * (0.75 + random / 4);
