import { EmbError } from "@emb/manifest";
import { z } from "zod";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";

const Rights = z.object({
  role: z.string(),
  database: z.string(),
  extension: z.string().nullable(),
  type_found: z.boolean(),
  may_extend: z.boolean(),
  may_make_schema: z.boolean(),
  schema_there: z.boolean(),
});

/**
 * Where a role lacks what the first use of a schema needs, an administrator is told what to run.
 * @returns whether the schema is there
 * @throws EmbError EMB_STORE_REFUSED
 */
export async function requireRights(driver: SqlDriver, schema: string): Promise<boolean> {
  const seen = parseOneRow(
    Rights,
    await driver.query(
      `SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
         (SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector') AS extension,
         to_regtype('vector') IS NOT NULL AS type_found,
         (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
           OR coalesce((SELECT bool_or(trusted) FROM pg_catalog.pg_available_extension_versions WHERE name = 'vector'), false)
             AND has_database_privilege(current_database(), 'CREATE') AS may_extend,
         has_database_privilege(current_database(), 'CREATE') AS may_make_schema,
         to_regnamespace($1) IS NOT NULL AS schema_there`,
      [schema],
    ),
  );
  const { role, database } = seen;
  const missing: string[] = [];
  const statements: string[] = [];
  if (seen.extension === null && !seen.may_extend) {
    missing.push("the extension vector is not there, and it may not make it");
    statements.push("CREATE EXTENSION vector;");
  }
  if (seen.extension !== null && !seen.type_found) {
    missing.push(
      `the extension vector is in schema ${seen.extension}, which is not on its search_path or which it may not use`,
    );
    statements.push(
      `GRANT USAGE ON SCHEMA ${seen.extension} TO ${role}; ALTER ROLE ${role} IN DATABASE ${database} SET search_path = "$user", public, ${seen.extension};`,
    );
  }
  if (!seen.schema_there && !seen.may_make_schema) {
    missing.push(`schema ${schema} is not there, and it may not make it`);
    statements.push(`CREATE SCHEMA ${schema} AUTHORIZATION ${role};`);
  }
  if (missing.length === 0) return seen.schema_there;
  throw new EmbError("EMB_STORE_REFUSED", `role ${role} cannot set up database ${database}: ${missing.join("; ")}`, {
    hint: `An administrator runs once, in that database: ${statements.join(" ")}`,
  });
}
