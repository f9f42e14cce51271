import type { SqlSession, SqlTransaction } from "./sql-driver.js";

/**
 * Runs `work` between BEGIN and COMMIT of one session, or rolls back. BEGIN is not awaited: the session keeps the order.
 * PostgreSQL answers the COMMIT of a failed transaction without an error, so a failure is remembered here.
 */
export async function runTransaction<T>(
  session: Pick<SqlTransaction, keyof SqlSession | "copyIn">,
  work: (tx: SqlTransaction) => Promise<T>,
): Promise<T> {
  let failed: { readonly error: unknown } | null = null;
  const watched = async <R>(statement: Promise<R>): Promise<R> => {
    try {
      return await statement;
    } catch (error) {
      failed ??= { error };
      throw error;
    }
  };
  const begun = watched(session.exec("BEGIN"));
  try {
    const [, result] = await Promise.all([
      begun,
      work({
        query: (sql, params) => watched(session.query(sql, params)),
        exec: (sql) => watched(session.exec(sql)),
        copyIn: (target, bytes) => watched(session.copyIn(target, bytes)),
      }),
    ]);
    throwIfFailed(failed);
    await session.exec("COMMIT");
    return result;
  } catch (error) {
    await session.exec("ROLLBACK").catch(() => undefined); // a session that is gone has rolled back already
    throw error;
  }
}

function throwIfFailed(failed: { readonly error: unknown } | null): void {
  if (failed !== null) throw failed.error;
}
