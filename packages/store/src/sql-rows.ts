import { EmbError } from "@emb/manifest";
import type { z } from "zod";
import type { SqlResult } from "./sql-driver.js";

const unexpected = (cause: unknown) =>
  new EmbError("EMB_INTERNAL", "the database answered with a row of another shape than this program expects", {
    hint: "Check that nothing else changed the tables of emb.",
    cause,
  });

/** The rows of a result, checked. @throws EmbError EMB_INTERNAL */
export function parseRows<T>(schema: z.ZodType<T>, result: SqlResult): T[] {
  return result.rows.map((row) => {
    const parsed = schema.safeParse(row);
    if (!parsed.success) throw unexpected(parsed.error);
    return parsed.data;
  });
}

/** The only row of a result, or null when it is empty. @throws EmbError EMB_INTERNAL */
export function parseRow<T>(schema: z.ZodType<T>, result: SqlResult): T | null {
  if (result.rows.length > 1) throw unexpected(new Error(`${result.rows.length} rows where one was expected`));
  return parseRows(schema, result)[0] ?? null;
}

/** The row of a statement that always gives one. @throws EmbError EMB_INTERNAL */
export function parseOneRow<T>(schema: z.ZodType<T>, result: SqlResult): T {
  const row = parseRow(schema, result);
  if (row === null) throw unexpected(new Error("no row where one was expected"));
  return row;
}
