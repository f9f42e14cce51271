import { EmbError } from "@emb/manifest";

/** The number that an option was given, within these bounds. @throws EmbError EMB_USAGE */
export function numberBetween(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new EmbError("EMB_USAGE", `${flag}: expected a number from ${least} to ${most}, got "${text}"`, {
    hint: `Give ${flag} a number within these bounds.`,
  });
}
