/**
 * How many documents were pending when a run's shards were cut, and which, where they are few among many or of a partial run: they are read by their
 * ids then, instead of looking for them.
 */
export const pendingDocuments = (s: string): string => `
ALTER TABLE ${s}.runs ADD COLUMN documents_pending bigint NOT NULL DEFAULT 0;
UPDATE ${s}.runs SET documents_pending = documents_total;
ALTER TABLE ${s}.shards ADD COLUMN document_ids text[] COLLATE "C";
UPDATE ${s}.shards AS h SET document_ids = ARRAY (
  SELECT document_id FROM ${s}.run_scope c
  WHERE c.run_id = h.run_id AND (h.after_id IS NULL OR document_id > h.after_id) AND (h.through_id IS NULL OR document_id <= h.through_id)
  ORDER BY document_id
) FROM ${s}.runs r WHERE r.id = h.run_id AND r.partial AND NOT h.done;
`;
