import { EmbError } from "@emb/manifest";

/** The whole number that an option was given, within these bounds. @throws EmbError EMB_USAGE */
export function wholeNumber(
  flag: string,
  text: string,
  [least, most]: readonly [number, number] = [0, 999_999_999],
): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text);
  throw new EmbError("EMB_USAGE", `${flag}: expected a whole number from ${least} to ${most}, got "${text}"`, {
    hint: `For example ${flag} ${Math.max(10, least)}.`,
  });
}
