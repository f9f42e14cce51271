import { z } from "zod";
import type { KeptShadowRead, ShadowAnswer, ShadowCounts, ShadowReads } from "./shadow-reads.js";
import type { SqlDriver, SqlTransaction } from "./sql-driver.js";
import { parseRows } from "./sql-rows.js";

const Documents = z.array(z.object({ id: z.string(), score: z.number() }));

const ReadRow = z
  .object({
    id: z.bigint(),
    at: z.date(),
    base: z.string(),
    query: z.string(),
    k: z.int(),
    outcome: z.enum(["answered", "failed", "timeout"]),
    baseline: z.string(),
    baseline_namespace: z.string(),
    baseline_documents: Documents,
    baseline_ms: z.number(),
    candidate: z.string(),
    candidate_namespace: z.string(),
    candidate_documents: Documents,
    candidate_ms: z.number(),
  })
  .transform(({ id, at, base, query, k, outcome, ...sides }): KeptShadowRead => ({
    id,
    at,
    base,
    query,
    k,
    outcome,
    baseline: {
      profile: sides.baseline,
      namespace: sides.baseline_namespace,
      documents: sides.baseline_documents,
      latencyMs: sides.baseline_ms,
    },
    candidate: {
      profile: sides.candidate,
      namespace: sides.candidate_namespace,
      documents: sides.candidate_documents,
      latencyMs: sides.candidate_ms,
    },
  }));

const CountsRow = z
  .object({
    baseline: z.string(),
    candidate: z.string(),
    reads: z.int(),
    answered: z.int(),
    oldest_at: z.date(),
    newest_at: z.date(),
  })
  .transform(({ oldest_at, newest_at, ...row }): ShadowCounts => ({
    ...row,
    oldestAt: oldest_at,
    newestAt: newest_at,
  }));

const QueryRow = z.object({ query: z.string() });

const listed = ({ documents }: ShadowAnswer) => JSON.stringify(documents.map(({ id, score }) => ({ id, score })));

export function createPostgresShadowReads(driver: SqlDriver, schema: string): ShadowReads {
  const reads = `${schema}.shadow_reads`;
  return {
    async record({ base, query, k, outcome, baseline, candidate }) {
      const found = [...baseline.documents, ...candidate.documents].map(({ id }) => id);
      const { affected } = await driver.query(
        `INSERT INTO ${reads} (base, query, k, outcome, baseline, baseline_namespace, baseline_documents, baseline_ms,
           candidate, candidate_namespace, candidate_documents, candidate_ms)
         SELECT $1::text, $2::text, $3::integer, $4::text, $5::text, $6::text, $7::jsonb, $8::double precision,
           $9::text, $10::text, $11::jsonb, $12::double precision
         WHERE NOT EXISTS (SELECT FROM ${schema}.documents WHERE base = $1 AND document_id = ANY ($13::text[]) AND deleted)`,
        [
          base,
          query,
          k,
          outcome,
          baseline.profile,
          baseline.namespace,
          listed(baseline),
          baseline.latencyMs,
          candidate.profile,
          candidate.namespace,
          listed(candidate),
          candidate.latencyMs,
          found,
        ],
      );
      return affected === 1;
    },

    list: async ({ base, limit }) =>
      parseRows(
        ReadRow,
        await driver.query(`SELECT * FROM ${reads} WHERE base = $1 ORDER BY id DESC LIMIT $2::bigint`, [base, limit]),
      ),

    counts: async (base) =>
      parseRows(
        CountsRow,
        await driver.query(
          `SELECT baseline, candidate, count(*)::integer AS reads, count(*) FILTER (WHERE outcome = 'answered')::integer AS answered,
             min(at) AS oldest_at, max(at) AS newest_at
           FROM ${reads} WHERE base = $1 GROUP BY baseline, candidate ORDER BY baseline, candidate`,
          [base],
        ),
      ),

    sampleQueries: async ({ base, limit, seed }) => {
      const result = await driver.query(
        `SELECT query FROM (SELECT DISTINCT query FROM ${reads} WHERE base = $1) AS asked
         ORDER BY sha256(convert_to($3::text || ' ' || query, 'UTF8')) LIMIT $2::bigint`,
        [base, limit, String(seed)],
      );
      return parseRows(QueryRow, result).map(({ query }) => query);
    },

    prune: async ({ base, keep, maxAgeMs }) => {
      // SKIP LOCKED: every process of the base does this, and none waits for another
      const { affected } = await driver.query(
        `DELETE FROM ${reads} WHERE id IN (
           SELECT id FROM ${reads} WHERE base = $1 AND (
             id <= (SELECT id FROM ${reads} WHERE base = $1 ORDER BY id DESC OFFSET $2::bigint LIMIT 1)
             OR at < clock_timestamp() - $3::double precision * interval '1 millisecond')
           FOR UPDATE SKIP LOCKED)`,
        [base, keep, maxAgeMs],
      );
      return affected;
    },
  };
}

/**
 * Removes every read that lists the document: what was asked when it was found may say what stands in it. The lock is there so that no read of an answer
 * made before comes in after: whoever records waits for it, and then sees the tombstone.
 */
export async function eraseShadowReads(
  tx: SqlTransaction,
  schema: string,
  { base, documentId }: { base: string; documentId: string },
): Promise<void> {
  await tx.exec(`LOCK TABLE ${schema}.shadow_reads IN SHARE ROW EXCLUSIVE MODE`);
  await tx.query(
    `DELETE FROM ${schema}.shadow_reads WHERE base = $1
       AND (baseline_documents @> jsonb_build_array(jsonb_build_object('id', $2::text))
         OR candidate_documents @> jsonb_build_array(jsonb_build_object('id', $2::text)))`,
    [base, documentId],
  );
}
