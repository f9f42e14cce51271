import { EmbError } from "@emb/manifest";

/** The amount that an option was given. @throws EmbError EMB_USAGE */
export function amountOfUsd(flag: string, text: string): number {
  if (/^\d{1,9}(\.\d{1,12})?$/.test(text)) return Number(text);
  throw new EmbError("EMB_USAGE", `${flag}: expected an amount in USD such as 12.50, got "${text}"`, {
    hint: `For example ${flag} 12.50.`,
  });
}

export const costText = (costUsd: number | null): string =>
  costUsd === null ? "price unknown" : `${costUsd.toFixed(4)} USD`;
