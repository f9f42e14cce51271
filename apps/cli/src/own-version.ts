import { EmbError } from "@emb/manifest";

/** The caller's own version of a document; null: one is to be drawn. @throws EmbError EMB_USAGE */
export function ownVersion(text: string | undefined): bigint | null {
  if (text === undefined) return null;
  // JSON's numbers are exact up to 2^53
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return BigInt(text);
  throw new EmbError(
    "EMB_USAGE",
    `--version: expected a whole number from 0 to 2^53 - 1, got ${JSON.stringify(text.slice(0, 40))}`,
    {
      hint: "Give a number that rises with each change, or leave it out.",
    },
  );
}
