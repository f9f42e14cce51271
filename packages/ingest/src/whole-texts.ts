import type { Seal } from "@emb/store";
import type { Chunker } from "./chunker.js";

/** Every document is one chunk, as it stands: what an adopted table holds. */
export const WHOLE_TEXTS: Chunker = {
  id: "whole-1",
  chunk: ({ text }) => (text.trim() === "" ? [] : [{ text, embedText: text, headingPath: "" }]),
};

/** The chunker that a namespace was filled with, when it needs no tokenizer; else the one that is there. */
export const sealedChunker = ({ chunkerId }: Pick<Seal, "chunkerId">, chunker: Chunker): Chunker =>
  chunkerId === WHOLE_TEXTS.id ? WHOLE_TEXTS : chunker;
