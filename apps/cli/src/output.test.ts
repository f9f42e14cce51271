import { describe, expect, it } from "vitest";
import { table } from "./output.js";

describe("table", () => {
  it.each([
    {
      name: "pads columns to their widest cell and leaves no spaces at line ends",
      head: ["profile", "state"],
      rows: [
        ["st_minilm", "ready"],
        ["one", "filling"],
      ],
      lines: ["profile    state", "st_minilm  ready", "one        filling"],
    },
    {
      name: "aligns a column to the right when all its cells are numbers",
      head: ["n", "share"],
      rows: [
        ["1", "5.5%"],
        ["1,000", "-"],
      ],
      lines: ["    n  share", "    1   5.5%", "1,000      -"],
    },
    { name: "shows the head alone", head: ["a", "bb"], rows: [], lines: ["a  bb"] },
    { name: "takes a missing cell as empty", head: ["a", "b"], rows: [["x"]], lines: ["a  b", "x"] },
  ])("$name", ({ head, rows, lines }) => {
    expect(table(head, rows)).toEqual(lines);
  });
});
