export { chunkerContract, type CreateChunker } from "./chunker-contract.js";
export { createPlainTokenizer } from "./plain-tokenizer.js";
export { sourceContract, type PlacedDocument, type SourceAdapter, type SourcePlace } from "./source-contract.js";
