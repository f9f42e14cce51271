import { documentHash, LIVE_SOURCE } from "@emb/ingest";
import type { FaultWorld } from "./fault-world.fixture.js";
import type { LiveChange } from "./schedule.js";

/** A change as it was made. */
export interface MadeChange {
  readonly documentId: string;
  /** null: deleted. */
  readonly text: string | null;
  readonly version: bigint;
}

/** The document of a schedule with this number. */
export const documentId = (place: number): string => `d${String(place).padStart(4, "0")}`;

/** Puts or deletes one document under the next version, as often as it takes while the database is away. */
export async function changeDocument(
  { documents, patiently }: FaultWorld,
  { base, seed }: { base: string; seed: number },
  { kind, document }: LiveChange,
): Promise<MadeChange> {
  const id = documentId(document);
  const version = await patiently(() => documents.nextVersion());
  if (kind === "delete") {
    await patiently(() => documents.delete({ base, documentId: id, version }));
    return { documentId: id, text: null, version };
  }
  const text = `Ferry ${seed}-${document} leaves by timetable ${version}.`;
  const content = { title: null, format: "text" as const, text, metadata: {} };
  const incoming = { id, ...content, version, contentHash: documentHash(content) };
  await patiently(() => documents.put({ base, source: LIVE_SOURCE, document: incoming }));
  return { documentId: id, text, version };
}
