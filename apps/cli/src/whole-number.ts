import { EmbError } from "@emb/manifest";

/** The number that an option was given. @throws EmbError EMB_USAGE */
export function wholeNumber(flag: string, text: string, most = 999_999_999): number {
  if (/^\d{1,9}$/.test(text) && Number(text) <= most) return Number(text);
  throw new EmbError("EMB_USAGE", `${flag}: expected a whole number of at most ${most}, got "${text}"`, {
    hint: `For example ${flag} 10.`,
  });
}
