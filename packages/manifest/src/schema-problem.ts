import * as z from "zod";
import { ERROR_CODES, type ErrorCode, type Problem } from "./errors.js";
import { nearest } from "./nearest.js";
import type { Locate } from "./yaml-document.js";

interface Reading {
  readonly raw: unknown;
  readonly schema: z.ZodType;
  readonly invalid: ErrorCode;
  readonly at: Locate;
}

/** What a refinement may say beside its message. A hint may depend on the value that was refused. */
const Params = z.object({
  code: z.string().optional(),
  hint: z.union([z.string(), z.custom<(input: unknown) => string>((value) => typeof value === "function")]).optional(),
});

/** One zod issue as problems in our words, with places. An issue about several unknown keys becomes one problem for each. */
export function schemaProblem(issue: z.core.$ZodIssue, reading: Reading): Problem[] {
  const { raw, invalid, at } = reading;
  const { path } = issue;
  const seen = valueAt(raw, path);
  const where = path.length === 0 ? "" : `${path.join(".")}: `;
  const one = (message: string, hint: string, code: ErrorCode = invalid): Problem[] => [
    { code, message: where + message, hint, ...at(path) },
  ];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        code: invalid,
        ...unknownKey(key, path, reading),
        ...at([...path, key], "key"),
      }));
    case "invalid_type":
      if (path.length === 0 && seen === null) return one("the file is empty", "Write at least the required keys.");
      if (seen === undefined) return one(`missing; expected ${article(issue.expected)}`, "Add it.");
      return one(`expected ${article(issue.expected)}, got ${show(seen)}`, quoteHint(issue.expected, seen));
    case "invalid_value": {
      if (seen === undefined) return one(`missing; expected one of ${issue.values.join(", ")}`, "Add it.");
      const near = typeof seen === "string" ? nearest(seen, issue.values.map(String)) : null;
      return one(
        `expected one of ${issue.values.join(", ")}, got ${show(seen)}`,
        near === null ? "Use one of these." : `Did you mean "${near}"?`,
      );
    }
    case "too_small":
      if (issue.origin === "string") return one("must not be empty", "Write a value.");
      return one(`expected ${String(issue.minimum)} or more, got ${show(seen)}`, "Correct the value.");
    case "too_big":
      return one(`expected at most ${String(issue.maximum)}, got ${show(seen)}`, "Correct the value.");
    case "invalid_key":
      return [
        {
          code: invalid,
          message: `${where}${issue.issues[0]?.message ?? "not a valid name"}`,
          hint: "Rename it.",
          ...at(path, "key"),
        },
      ];
    case "custom": {
      const { code, hint } = Params.parse(issue.params ?? {});
      const known = code !== undefined && isErrorCode(code) ? code : invalid;
      return one(issue.message, (typeof hint === "function" ? hint(seen) : hint) ?? "Correct the value.", known);
    }
    case "invalid_format":
    case "invalid_union":
    case "invalid_element":
    case "not_multiple_of":
      break;
  }
  return one(issue.message, "Correct the value.");
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);

function unknownKey(key: string, path: readonly PropertyKey[], { schema }: Reading): { message: string; hint: string } {
  const allowed = keysAt(schema, path);
  const near = nearest(key, allowed);
  const where = path.length === 0 ? "" : `${path.join(".")}: `;
  return {
    message: `${where}unknown key "${key}"`,
    hint: near === null ? `Known keys here: ${allowed.join(", ")}.` : `Did you mean "${near}"?`,
  };
}

const Objects = z.record(z.string(), z.unknown());

/** The keys that a schema allows at a path, read from its JSON Schema: only an error pays for that. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let here: unknown = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" });
  for (const step of path) {
    const properties = valueAt(here, ["properties", step]);
    here = properties ?? valueAt(here, [typeof step === "number" ? "items" : "additionalProperties"]);
  }
  const keys = Objects.safeParse(valueAt(here, ["properties"]));
  return keys.success ? Object.keys(keys.data) : [];
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    here = Reflect.get(here, step);
  }
  return here;
}

/** A value as a message may show it: texts are not shown, except short words, because a text may be a secret. */
function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return /^[\w-]{1,20}$/.test(value) ? `"${value}"` : "a text";
  if (value === null) return "nothing";
  return Array.isArray(value) ? "a list" : "a mapping";
}

const NAMES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};
const article = (expected: string): string => NAMES[expected] ?? expected;

const quoteHint = (expected: string, seen: unknown): string =>
  expected === "string" && (typeof seen === "number" || typeof seen === "boolean")
    ? "Put the value in quotes."
    : "Correct the value.";
