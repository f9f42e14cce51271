import { EmbError } from "@emb/manifest";
import { isDatabaseError } from "./database-error.js";
import type { NamespaceRecord } from "./namespaces.js";

const UNDEFINED_TABLE = "42P01";

/**
 * The same for every statement of a handle that is still open: its namespace has no table any more.
 * @param hint what whoever holds the handle does then
 * @throws EmbError EMB_NAMESPACE_NOT_FOUND in place of what the database says of a missing table
 */
export async function orRetired<T>(
  { namespace }: NamespaceRecord,
  hint: string,
  statement: () => Promise<T>,
): Promise<T> {
  try {
    return await statement();
  } catch (cause) {
    if (!isDatabaseError(cause, UNDEFINED_TABLE)) throw cause;
    throw new EmbError("EMB_NAMESPACE_NOT_FOUND", `namespace "${namespace}" was retired after it was opened`, {
      hint,
      context: { namespace },
      cause,
    });
  }
}
