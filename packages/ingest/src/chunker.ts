/** A piece of a document, ready to be embedded. */
export interface TextChunk {
  /** What a reader is shown: a slice of the document, trimmed of blank lines at its ends. */
  readonly text: string;
  /** What is embedded: the heading path, then the text. `countTokens(embedText).tokens` <= `maxTokens`. */
  readonly embedText: string;
  /** Headings above the text, outermost first, joined with " > "; empty when there are none. */
  readonly headingPath: string;
}

export interface Chunker {
  /** Names rules, version and bounds, for example `markdown-1/200`: part of every seal. Other chunks for equal input means another id. */
  readonly id: string;
  /** Deterministic. Every non-blank character of the document is in at least one chunk. Empty for a document without text. */
  chunk(document: { title: string | null; format: "markdown" | "text"; text: string }): readonly TextChunk[];
}
