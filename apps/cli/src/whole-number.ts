import { EmbError } from "@emb/manifest";

/** The number that an option was given. @throws EmbError EMB_USAGE */
export function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new EmbError("EMB_USAGE", `${flag}: expected a whole number, got "${text}"`, {
    hint: `For example ${flag} 10.`,
  });
}
