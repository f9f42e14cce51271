import { expect, it } from "vitest";
import type { NamedCell } from "./cell.js";
import { MatrixReport, renderMatrix } from "./matrix-report.js";

const cell = (name: string, mode: NamedCell["mode"]): NamedCell => ({ profile: { name }, store: "embedded", mode });

it("keeps what ran apart from what was skipped, and names the step at which a cell failed", async () => {
  const report = new MatrixReport();
  await report.run(cell("small", "none"), async (entry) => {
    entry.step("ingest");
    entry.filled(8, 32);
  });
  const failing = report.run(cell("small", "model"), async (entry) => {
    entry.step("ingest");
    entry.filled(8, 31);
    entry.step("swap");
    throw new Error("not beside");
  });
  await expect(failing).rejects.toThrow("not beside");
  report.skip(cell("hosted", "none"), "missing KEY");

  expect([...report.ran]).toEqual(["small x embedded store x mode none", "small x embedded store x mode model"]);
  const rows = report.rows.map((row, place) => ({ ...row, seconds: row.seconds === null ? null : place + 1.25 }));
  expect(renderMatrix(rows).split("\n")).toEqual([
    "profile  store     mode   ran      documents  chunks  seconds  result",
    "small    embedded  none   ran              8      32      1.3  ok",
    "small    embedded  model  ran              8      31      2.3  FAILED at swap",
    "hosted   embedded  none   skipped          -       -        -  missing KEY",
    "3 cells: 2 ran, 1 of them failed, 1 skipped; 3.5 s",
  ]);
});

it("renders nothing but head and sums when no cell was asked for", () => {
  expect(renderMatrix([])).toBe(
    "profile  store  mode  ran  documents  chunks  seconds  result\n0 cells: 0 ran, 0 of them failed, 0 skipped; 0.0 s",
  );
});
