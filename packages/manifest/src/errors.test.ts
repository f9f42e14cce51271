import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EmbError, ERROR_CODES, isEmbError } from "./errors.js";

const rows = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `EMB_"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

describe("docs/errors.md", () => {
  it("has the table's codes, exits and retryability, in its order", () => {
    const documented = rows.map(([code, exit, retryable]) => [code, exit, retryable]);
    const table = Object.entries(ERROR_CODES).map(([code, { exit, retryable }]) => [
      `\`${code}\``,
      String(exit),
      retryable ? "yes" : "no",
    ]);
    expect(documented).toEqual(table);
  });

  it.each(rows)("says what %s means and what to do", (...cells) => {
    expect(cells.length).toBe(5);
    for (const cell of cells.slice(3)) expect(cell.length).toBeGreaterThan(10);
  });
});

describe("EmbError", () => {
  it("takes exit code and retryability from the table", () => {
    const error = new EmbError("EMB_PROVIDER_RATE_LIMITED", "slow down", { hint: "Wait.", context: { seconds: 3 } });
    expect([error.name, error.message, error.hint, error.exitCode, error.retryable, error.problems]).toEqual([
      "EmbError",
      "slow down",
      "Wait.",
      75,
      true,
      [],
    ]);
    expect(error.context).toEqual({ seconds: 3 });
  });

  it("is known by its brand and its code", () => {
    const error = new EmbError("EMB_USAGE", "no", { hint: "Read." });
    expect([
      isEmbError(error),
      isEmbError(error, "EMB_USAGE"),
      isEmbError(error, "EMB_INTERNAL"),
      isEmbError(new Error("EMB_USAGE")),
      isEmbError(null),
    ]).toEqual([true, true, false, false, false]);
  });
});
