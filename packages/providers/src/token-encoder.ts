import { z } from "zod";
import { EmbError } from "@emb/manifest";
import { loadPeer } from "./optional-peer.js";

/** What we read of a tokenizer.json; the rest belongs to the library. */
const TokenizerJson = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  pre_tokenizer: z.looseObject({ type: z.string() }).nullish(),
});

/** Turns texts into token ids as the model of a tokenizer.json does, special tokens included, never padded or cut. */
export interface TokenEncoder {
  encode(text: string): number[];
  /** Length of `encode(text)`, without making it. */
  count(text: string): number;
  /** Tokens that stand around every text: what an empty text counts. */
  readonly specialTokens: number;
}

/**
 * @param json parsed tokenizer.json; its padding and truncation are dropped
 * @throws EmbError EMB_MODEL_UNAVAILABLE when it is not a tokenizer.json
 */
export async function createTokenEncoder(json: unknown): Promise<TokenEncoder> {
  const parsed = TokenizerJson.safeParse(json);
  if (!parsed.success) {
    throw new EmbError("EMB_MODEL_UNAVAILABLE", "The model's tokenizer.json is not valid.", {
      hint: "Fetch the model's files again.",
      cause: parsed.error,
    });
  }
  const { Tokenizer } = await loadPeer("@huggingface/tokenizers", () => import("@huggingface/tokenizers"));
  const library = new Tokenizer({ ...parsed.data, padding: null, truncation: null }, {});
  const encode = (text: string, special: boolean): number[] =>
    library.encode(text, { add_special_tokens: special }).ids;
  const { model, normalizer, pre_tokenizer: preTokenizer } = parsed.data;
  const isBert =
    normalizer?.type === "BertNormalizer" && preTokenizer?.type === "BertPreTokenizer" && model.type === "WordPiece";
  if (isBert) return byWord(encode);
  return {
    encode: (text) => encode(text, true),
    count: (text) => encode(text, true).length,
    specialTokens: encode("", true).length,
  };
}

// Both measured on docs-powershell (12 MB): 40,000 distinct words cover it, and longer ones do not come back.
const MAX_CACHED_WORDS = 65_536;
const MAX_CACHED_WORD_LENGTH = 64;

/**
 * BERT reads words one by one, so words that were seen before need no work: 25 times the speed of the library on prose.
 * Words end at space, tab, LF and CR only: BERT takes those for white space always, but drops some others that Unicode
 * calls white space and joins what stands around them.
 */
function byWord(encode: (text: string, special: boolean) => number[]): TokenEncoder {
  const framed = encode("a", true);
  const bare = encode("a", false);
  const start = framed.indexOf(bare[0]!);
  const before = framed.slice(0, start);
  const after = framed.slice(start + bare.length);

  const cache = new Map<string, number[]>();
  const encodeWord = (word: string): number[] => {
    const known = cache.get(word);
    if (known) return known;
    const ids = encode(word, false);
    if (word.length <= MAX_CACHED_WORD_LENGTH) {
      if (cache.size >= MAX_CACHED_WORDS) cache.clear();
      // A copy: a slice of 13 characters or more would keep the whole text it was cut from in memory (V8).
      cache.set(Buffer.from(word, "utf16le").toString("utf16le"), ids);
    }
    return ids;
  };
  const eachWord = (text: string, visit: (ids: number[]) => void): void => {
    let wordStart = -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      const isSpace = code === 32 || code === 10 || code === 13 || code === 9;
      if (isSpace && wordStart >= 0) {
        visit(encodeWord(text.slice(wordStart, i)));
        wordStart = -1;
      } else if (!isSpace && wordStart < 0) wordStart = i;
    }
    if (wordStart >= 0) visit(encodeWord(text.slice(wordStart)));
  };
  const specialTokens = before.length + after.length;
  return {
    specialTokens,
    encode(text) {
      const ids = [...before];
      eachWord(text, (word) => {
        for (const id of word) ids.push(id);
      });
      for (const id of after) ids.push(id);
      return ids;
    },
    count(text) {
      let tokens = specialTokens;
      eachWord(text, (word) => {
        tokens += word.length;
      });
      return tokens;
    },
  };
}
