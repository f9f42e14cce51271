import type { SearchAnswer } from "@emb/search";
import type { Seal } from "@emb/store";

/** A search answer as the command and the service spell it: snake_case, and where each text comes from. */
export const answerDocument = (answer: SearchAnswer, seal: Pick<Seal, "profile" | "fingerprint">) => ({
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
      profile: seal.profile, // of the rows; with strict mode off it may be another than the reader's
      namespace: answer.namespace,
      fingerprint: seal.fingerprint,
      content_hash: provenance.contentHash,
      document_version: provenance.documentVersion,
      run_id: provenance.runId,
      embedded_at: provenance.embeddedAt.toISOString(),
    },
  })),
});
