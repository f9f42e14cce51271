import type { Store, TextFailure } from "@emb/store";

/** Every text that a namespace does not show because it was refused: by its latest run, and by live changes since. */
export async function setAsideTexts(
  { runs, changes }: Pick<Store, "runs" | "changes">,
  { runId, namespaceId, limit }: { runId: string | null; namespaceId: number; limit: number },
): Promise<readonly TextFailure[]> {
  const ofRun = runId === null ? [] : await runs.failures(runId, limit);
  const ofChanges = (await changes.setAside(namespaceId, limit)).flatMap(({ documentId, ordinals, code, reason }) =>
    (ordinals.length === 0 ? [null] : ordinals).map((ordinal) => ({ documentId, ordinal, code, reason })),
  );
  const seen = new Set(ofRun.map(({ documentId, ordinal }) => `${ordinal}:${documentId}`));
  return [...ofRun, ...ofChanges.filter(({ documentId, ordinal }) => !seen.has(`${ordinal}:${documentId}`))];
}
