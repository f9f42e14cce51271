import { isEmbError, type EmbError } from "@emb/manifest";
import type { Embeddings, EmbedOptions, Sides } from "./provider.js";
import { blankText } from "./text-guards.js";

/** Found before anything of a call is embedded, so the call can be made again without the text at no cost. */
const FOUND_BEFORE = ["EMB_TEXT_EMPTY", "EMB_TEXT_TOO_LONG"] as const;

/**
 * Embeds all texts but those that are refused, for a provider that ends its call at the first one, or sets aside by itself what it learns from a
 * service.
 */
export async function embedSettingAside(
  embed: Sides<Embeddings>["embedDocuments"],
  texts: readonly string[],
  dims: number,
  { setAside, ...options }: EmbedOptions & { readonly setAside: (index: number, error: EmbError) => void },
): Promise<Embeddings> {
  const refused = new Set<number>();
  const refuse = (index: number, error: EmbError) => {
    refused.add(index);
    setAside(index, error);
  };
  for (const [index, text] of texts.entries()) {
    const error = blankText(index, text);
    if (error !== null) refuse(index, error);
  }
  for (;;) {
    const rest = [...texts.keys()].filter((index) => !refused.has(index));
    if (rest.length === 0)
      return { dense: new Float32Array(texts.length * dims).fill(Number.NaN), count: texts.length, dims, tokens: 0 };
    try {
      const answer = await embed(
        rest.map((index) => texts[index]!),
        { ...options, setAside: (index, error) => refuse(rest[index]!, error) },
      );
      return rest.length === texts.length ? answer : spread(answer, rest, texts.length);
    } catch (error) {
      const index = placeOf(error, rest);
      if (index === null) throw error;
      refuse(index.place, index.error);
    }
  }
}

function placeOf(error: unknown, rest: readonly number[]): { place: number; error: EmbError } | null {
  if (!isEmbError(error) || !FOUND_BEFORE.some((code) => code === error.code)) return null;
  const { index } = error.context ?? {};
  const place = typeof index === "number" ? rest[index] : undefined;
  return place === undefined ? null : { place, error };
}

/** Row i of the answer becomes row `places[i]` of `count`; the others hold NaN. */
function spread({ dense, dims, tokens }: Embeddings, places: readonly number[], count: number): Embeddings {
  const all = new Float32Array(count * dims).fill(Number.NaN);
  for (const [row, place] of places.entries()) all.set(dense.subarray(row * dims, (row + 1) * dims), place * dims);
  return { dense: all, count, dims, tokens };
}
