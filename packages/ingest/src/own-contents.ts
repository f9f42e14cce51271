import { SeenDocuments } from "./seen-documents.js";

/**
 * Which texts a namespace may hold that was empty when this process began to fill it: those that the process embedded itself. A bulk load then asks the
 * database for none of the others, and needs no index for it, which is a quarter of its time (see bench). What another process embeds meanwhile is not
 * known here: a text that stands in the shards of both is embedded by both.
 */
export class OwnContents {
  readonly #contents: SeenDocuments;
  #full = false;

  constructor(contents = new SeenDocuments()) {
    this.#contents = contents;
  }

  add(contentKey: string): void {
    if (!this.#contents.add(contentKey)) this.#full = true;
  }

  /** False: it is not stored. True is a reason to look. */
  mayHold(contentKey: string): boolean {
    return this.#full || this.#contents.has(contentKey);
  }
}
