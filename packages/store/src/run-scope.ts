/** Holds for a document `d` that the run (an expression, such as `$1`) fills: any, or those of its scope when it is partial. */
export const inScope = (schema: string, run: string): string =>
  `(NOT (SELECT partial FROM ${schema}.runs WHERE id = ${run}) OR EXISTS (
    SELECT FROM ${schema}.run_scope s WHERE s.run_id = ${run} AND s.document_id = d.document_id))`;
