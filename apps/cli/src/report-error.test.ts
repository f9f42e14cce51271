import { EmbError } from "@emb/manifest";
import { describe, expect, it } from "vitest";
import { recordOutput } from "./recorded-output.fixture.js";
import { reportError, usageError } from "./report-error.js";

const report = (error: unknown, { verbose = false, interrupted = false } = {}) => {
  const { output, notes, documents } = recordOutput();
  const exit = reportError(output, error, { verbose, interrupted });
  return { exit, notes, documents };
};

describe("reportError", () => {
  it("shows code, message and one action, and exits as the code says", () => {
    const error = new EmbError("EMB_STORE_LOCKED", "held by pid 7", { hint: "Stop it.", context: { pid: 7 } });
    const described = { code: "EMB_STORE_LOCKED", message: "held by pid 7", hint: "Stop it." };
    expect(report(error)).toEqual({
      exit: 75,
      notes: ["error EMB_STORE_LOCKED held by pid 7", "  -> Stop it."],
      documents: [
        { ok: false, code: "EMB_STORE_LOCKED", error: { ...described, context: { pid: 7 } }, errors: [described] },
      ],
    });
  });

  it("shows every problem with its place", () => {
    const problems = [
      { code: "EMB_YAML_SYNTAX", message: "a tab", hint: "Indent with spaces.", file: "/c/x.yaml", line: 3, column: 1 },
      { code: "EMB_CONFIG_FILE_MISSING", message: "no file", hint: "Write it.", file: "/c/y.yaml" },
      { code: "EMB_ENV_UNSET", message: "ENV: must be set", hint: "Set ENV.", variable: "ENV" },
    ] as const;
    const { exit, notes } = report(new EmbError("EMB_YAML_SYNTAX", "three things", { hint: "-", problems }));
    expect(exit).toBe(78);
    expect(notes).toEqual([
      "error EMB_YAML_SYNTAX /c/x.yaml:3:1: a tab",
      "  -> Indent with spaces.",
      "error EMB_CONFIG_FILE_MISSING /c/y.yaml: no file",
      "  -> Write it.",
      "error EMB_ENV_UNSET ENV: must be set",
      "  -> Set ENV.",
    ]);
  });

  it("shows with --verbose what caused it, and what caused that", () => {
    const cause = new TypeError("outer", { cause: new RangeError("inner") });
    const { notes } = report(new EmbError("EMB_USAGE", "no", { hint: "-", cause }), { verbose: true });
    expect(notes.slice(3).map((note) => note.split("\n")[0])).toEqual([
      "caused by TypeError: outer",
      "caused by RangeError: inner",
    ]);
  });

  it("shows the stack only when asked to", () => {
    const error = new EmbError("EMB_USAGE", "no", { hint: "-" });
    const withStack = (verbose: boolean) => report(error, { verbose }).notes.some((note) => note.includes("\n    at "));
    expect([withStack(false), withStack(true)]).toEqual([false, true]);
  });

  it.each([
    ["an error of ours without a code", new TypeError("x is not a function"), false, 2, "EMB_INTERNAL"],
    ["a thrown text", "boom", false, 2, "EMB_INTERNAL"],
    ["a full disk", Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" }), false, 75, "EMB_STORE_FULL"],
    ["what an interruption threw", new Error("stopped by SIGINT"), true, 130, "EMB_INTERRUPTED"],
    [
      "an error with a code while interrupted",
      new EmbError("EMB_SOURCE_MISSING", "-", { hint: "-" }),
      true,
      2,
      "EMB_SOURCE_MISSING",
    ],
  ])("gives a code and an action to %s", (_, error, interrupted, exit, code) => {
    const reported = report(error, { interrupted });
    expect(reported.exit).toBe(exit);
    expect(reported.notes[0]?.split(" ").slice(0, 2)).toEqual(["error", code]);
    expect(reported.notes[1]).toMatch(/^ {2}-> \S/);
  });
});

describe("usageError", () => {
  it.each([
    ["error: unknown option '--x'", "emb search: unknown option '--x'", "emb search --help shows what it takes."],
    [
      "error: unknown option '--to-k'\n(Did you mean --top-k?)",
      "emb search: unknown option '--to-k'",
      "Did you mean --top-k?",
    ],
  ])("takes over what the parser says: %s", (parserMessage, message, hint) => {
    expect(usageError(parserMessage, "emb search")).toMatchObject({ code: "EMB_USAGE", message, hint, exitCode: 2 });
  });
});
