import { judgedDocuments, type QuerySet } from "@emb/eval";
import type { NamespaceReader } from "@emb/store";

/** A set that says how many of its judged documents at least one of the namespaces does not have. Run files alone do not tell. */
export async function countMissingDocuments(set: QuerySet, readers: readonly NamespaceReader[]): Promise<QuerySet> {
  if (readers.length === 0) return set;
  let judgedDocumentsMissing = 0;
  for (const id of judgedDocuments(set)) {
    const there = await Promise.all(readers.map((reader) => hasDocument(reader, id)));
    if (there.includes(false)) judgedDocumentsMissing++;
  }
  return { ...set, oddities: { ...set.oddities, judgedDocumentsMissing } };
}

async function hasDocument(reader: NamespaceReader, id: string): Promise<boolean> {
  const [next] = await reader.scan({ after: { documentId: id, ordinal: -1 }, limit: 1 });
  return next?.documentId === id;
}
