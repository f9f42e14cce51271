import {
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Pair,
  type YAMLError,
} from "yaml";
import type * as z from "zod";
import type { ErrorCode, Problem } from "./errors.js";
import { schemaProblem } from "./schema-problem.js";

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Where the value at `path` stands, else the nearest key around it that exists. `"key"` points at the key itself. */
export type Locate = (path: readonly PropertyKey[], part?: "key" | "value") => Position;

export interface YamlReading<T> {
  /** The checked value; null when there are problems. */
  readonly value: T | null;
  /** What the text holds, unchecked, for rules that speak even when other things are wrong. Null when it cannot be read. */
  readonly raw: unknown;
  /** Every problem, in the order of the text. */
  readonly problems: readonly Problem[];
  readonly at: Locate;
}

/**
 * Reads one YAML text against a schema. A problem of the schema has the code `invalid`, or the one that a refinement carries
 * in `params.code`. No message quotes a text value of the file: it may be a secret.
 */
export function readYaml<T>(
  text: string,
  input: { file: string; schema: z.ZodType<T>; invalid: ErrorCode },
): YamlReading<T> {
  const { file, schema, invalid } = input;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false }); // pretty errors quote the line
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const at: Locate = (path, part = "value") => place(offsetOf(document, path, part));

  const forbidden = forbiddenKeys(document, text).map((offset): Problem => ({
    ...syntaxError('the key "__proto__" is not allowed', "Rename it."),
    ...place(offset),
  }));
  const found = firstCauses([...document.errors, ...document.warnings]);
  const syntax = found.map((error) => ({ ...syntaxProblem(error, text), ...place(error.pos[0]) }));
  // After any other syntax error the rest of the document is guesswork.
  if (found.some((error) => error.code !== "DUPLICATE_KEY")) return { value: null, raw: null, problems: syntax, at };

  let raw: unknown;
  try {
    raw = document.toJS();
  } catch {
    // The only things that toJS refuses in a document without errors.
    const alias = syntaxError("an alias has no anchor, or the aliases expand to too much", "Write the values out.");
    return { value: null, raw: null, problems: [...syntax, { ...alias, file, line: 1, column: 1 }], at };
  }
  const checked = schema.safeParse(raw);
  const wrong = checked.success
    ? []
    : checked.error.issues.flatMap((issue) => schemaProblem(issue, { raw, schema, invalid, at }));
  const problems = [...syntax, ...forbidden, ...wrong].toSorted(byPlace);
  return { value: checked.success && problems.length === 0 ? checked.data : null, raw, problems, at };
}

/** Orders problems of one file as its text does. */
export const byPlace = (a: Problem, b: Problem): number =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

/** Offsets of `__proto__` keys: JavaScript, and zod's records, would drop such an entry without a word. */
function forbiddenKeys(document: Document.Parsed, text: string): number[] {
  if (!text.includes("__proto__")) return [];
  const offsets: number[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === "__proto__") offsets.push(start(key) ?? 0);
    },
  });
  return offsets;
}

const syntaxError = (message: string, hint: string): Problem => ({ code: "EMB_YAML_SYNTAX", message, hint });

/** Leaves out errors that only follow from others: everything beside a tab, and the later ones of one place. */
function firstCauses(errors: readonly YAMLError[]): readonly YAMLError[] {
  const tabs = errors.filter((error) => error.code === "TAB_AS_INDENT");
  if (tabs.length > 0) return tabs;
  return errors.filter((error, index) => errors.findIndex((other) => other.pos[0] === error.pos[0]) === index);
}

function syntaxProblem({ code, message, pos }: YAMLError, text: string): Problem {
  if (code === "DUPLICATE_KEY") {
    const key = /^[\w.-]{1,63}/.exec(text.slice(pos[0], pos[0] + 64))?.[0];
    return syntaxError(
      `the key ${key === undefined ? "here" : `"${key}"`} is written twice`,
      "Keep one of the two entries.",
    );
  }
  if (code === "TAB_AS_INDENT")
    return syntaxError("a tab is used for indentation, which YAML forbids", "Indent with spaces.");
  if (code === "MULTIPLE_DOCS")
    return syntaxError("the file holds more than one YAML document", "Keep one document in each file.");
  const reason = message.split(/[:"\n]/)[0]?.trim() ?? code; // the parser appends what it stumbled over after a colon
  return syntaxError(`not valid YAML: ${reason}`, "Correct the file here; check indentation and quotes.");
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[], part: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find(
        ({ key }) => String(isScalar(key) ? key.value : key) === String(step),
      );
      if (pair === undefined) return offset;
      offset = start(pair.key) ?? offset;
      node = pair.value;
      // A value that is itself a map is best shown by the key above it.
      if (depth === path.length - 1 && part === "value" && isScalar(node)) return start(node) ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = start(node) ?? offset;
    } else return offset;
  }
  return offset;
}

const start = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
