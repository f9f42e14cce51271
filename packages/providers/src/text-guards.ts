import { EmbError } from "@emb/manifest";

/** @returns EMB_TEXT_TOO_LONG for text number `index` of a call; both counts in tokens of the profile's tokenizer */
export const textTooLong = (index: number, tokens: number, maxTokens: number): EmbError =>
  new EmbError("EMB_TEXT_TOO_LONG", `Text ${index} has ${tokens} tokens, the model reads at most ${maxTokens}.`, {
    hint: "Cut the text into shorter pieces; emb never truncates it.",
    context: { index, tokens, max_tokens: maxTokens },
  });

const empty = (index: number, what: string): EmbError =>
  new EmbError("EMB_TEXT_EMPTY", `Text ${index} ${what}.`, {
    hint: "Leave such texts out before embedding.",
    context: { index },
  });

/** @returns EMB_TEXT_EMPTY for a text that is empty or blank, else null */
export const blankText = (index: number, text: string): EmbError | null =>
  text.trim() === "" ? empty(index, text === "" ? "is empty" : "is blank") : null;

/** @throws EmbError EMB_TEXT_EMPTY when a text is empty or blank */
export function refuseBlankTexts(texts: readonly string[]): void {
  for (const [index, text] of texts.entries()) {
    const error = blankText(index, text);
    if (error !== null) throw error;
  }
}

/** @returns EMB_TEXT_EMPTY for a text that holds only characters the model drops, such as zero-width ones */
export const textWithoutTokens = (index: number): EmbError => empty(index, "holds no character that the model reads");
