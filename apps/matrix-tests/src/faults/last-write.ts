/** One write of one document, or what a reading of the source says of it. */
export interface Write {
  readonly version: bigint;
  /** null: deleted. */
  readonly text: string | null;
  /** False: of a reading that broke off, which may have come as far as this document or not. @defaultValue true */
  readonly certain?: boolean;
}

/** What a document may say after these writes, whatever order they came in: what the newest says for certain, or a newer one that may have come. */
export function lastWrite(writes: readonly Write[]): readonly (string | null)[] {
  const newestFirst = writes.toSorted((a, b) => (a.version < b.version ? 1 : -1));
  const certain = newestFirst.findIndex((write) => write.certain ?? true);
  const possible = certain === -1 ? newestFirst : newestFirst.slice(0, certain + 1);
  const texts = possible.map(({ text }) => text);
  return [...new Set(certain === -1 ? [...texts, null] : texts)]; // none of them may have come
}
