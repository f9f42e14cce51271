import type { DatabaseRefusal } from "./database-error.js";
import type { SqlRow, SqlValue } from "./sql-driver.js";

/** What the driver asks of the worker; answered in the order of asking. */
export type WorkerRequest = { readonly id: number } & (
  | { readonly kind: "open"; readonly directory: string }
  | { readonly kind: "query"; readonly sql: string; readonly params: readonly SqlValue[] }
  | { readonly kind: "exec"; readonly sql: string }
  | { readonly kind: "copy"; readonly sql: string; readonly bytes: ArrayBuffer }
  | { readonly kind: "close" }
);

export type WorkerReply = { readonly id: number } & (
  | { readonly kind: "done"; readonly rows: readonly SqlRow[]; readonly affected: number }
  | ({ readonly kind: "refused" } & DatabaseRefusal)
  /** The database could not be started. `missing` names a package that is not installed. */
  | { readonly kind: "unavailable"; readonly message: string; readonly missing: string | null }
);
