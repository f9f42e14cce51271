import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { paint } from "./output.js";
import { createProcessOutput } from "./process-output.js";

const open = (
  setup: { terminals?: readonly number[]; env?: Record<string, string>; json?: boolean; columns?: number } = {},
) => {
  const { terminals = [], env = {}, json = false, columns } = setup;
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = Object.assign(new PassThrough(), { columns });
  const output = createProcessOutput({ stdin, stdout, stderr }, env, json, (fileDescriptor) =>
    terminals.includes(fileDescriptor),
  );
  const textOf = (stream: PassThrough): string => String(stream.read() ?? "");
  return { output, stdin, stdout: () => textOf(stdout), stderr: () => textOf(stderr) };
};
const ALL = [0, 1, 2];

describe("createProcessOutput", () => {
  it.each([
    ["three terminals", ALL, {}, { color: true, redraw: true, interactive: true }],
    ["NO_COLOR", ALL, { NO_COLOR: "1" }, { color: false, redraw: true, interactive: true }],
    [
      "an empty NO_COLOR, which counts as unset",
      ALL,
      { NO_COLOR: "" },
      { color: true, redraw: true, interactive: true },
    ],
    ["a terminal that can do nothing", ALL, { TERM: "dumb" }, { color: false, redraw: false, interactive: true }],
    ["stdout in a pipe", [0, 2], {}, { color: false, redraw: true, interactive: true }],
    ["stderr in a file", [0, 1], {}, { color: false, redraw: false, interactive: false }],
    ["input from a pipe", [1, 2], {}, { color: true, redraw: true, interactive: false }],
    ["no terminal", [], {}, { color: false, redraw: false, interactive: false }],
  ])("with %s", (_, terminals, env, expected) => {
    const { color, redraw, interactive } = open({ terminals, env }).output;
    expect({ color, redraw, interactive }).toEqual(expected);
  });

  it("takes the width of the terminal, else 80", () => {
    expect(open({ terminals: ALL, columns: 132 }).output.columns).toBe(132);
    expect(open({ terminals: ALL }).output.columns).toBe(80);
    expect(open({ columns: 132 }).output.columns).toBe(80);
  });

  it("writes lines to stdout and notes to stderr, and no document, for people", () => {
    const { output, stdout, stderr } = open();
    output.line("a");
    output.line();
    output.document({ a: 1 });
    output.note("b");
    output.raw("c");
    expect([stdout(), stderr()]).toEqual(["a\n\n", "b\nc"]);
  });

  it("writes the document alone to stdout with --json, with exact versions", () => {
    const { output, stdout } = open({ json: true });
    output.line("a");
    output.document({ version: 7n, large: 2n ** 60n, none: null });
    expect(JSON.parse(stdout())).toEqual({ version: 7, large: "1152921504606846976", none: null });
  });

  it("gives the line that was typed", async () => {
    const { output, stdin, stderr } = open();
    const asked = output.ask("Fill it? [y/N]");
    stdin.write(" yes \n");
    expect(await asked).toBe(" yes ");
    expect(stderr()).toContain("Fill it? [y/N] ");
  });
});

describe("paint", () => {
  it("adds escape codes only when colours are on", () => {
    expect(paint({ color: true }, "red", "x")).toBe("\u001B[31mx\u001B[0m");
    expect(paint({ color: false }, "red", "x")).toBe("x");
  });
});
