import type { SearchAnswer } from "@emb/search";

/** A search answer as the command and the service spell it: snake_case, and where each text comes from. */
export const answerDocument = (answer: SearchAnswer, fingerprint: string) => ({
  profile: answer.profile,
  namespace: answer.namespace,
  seal: answer.seal,
  results: answer.hits.map(({ documentId, ordinal, score, text, headingPath, provenance }) => ({
    document_id: documentId,
    chunk_id: `${documentId}#${ordinal}`,
    score,
    text,
    heading_path: headingPath,
    provenance: {
      profile: answer.profile,
      namespace: answer.namespace,
      fingerprint,
      content_hash: provenance.contentHash,
      document_version: provenance.documentVersion,
      run_id: provenance.runId,
      embedded_at: provenance.embeddedAt.toISOString(),
    },
  })),
});
