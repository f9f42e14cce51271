import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, type Project } from "./command.fixture.js";

/** No titles, so the first words of each file are the question that the file answers. */
const TEXTS = {
  "notes/ferry.txt": "The ferry leaves the north quay at seven in the morning, before the fog has lifted from the bay.",
  "notes/bread.txt": "The bakery behind the church sells rye bread on Saturdays.\n\nBring a bag.",
  "notes/blank.txt": " \n",
};

describe("the quickstart on somebody's own text files", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject(TEXTS);
  });
  afterAll(() => project.remove());

  it("asks the first words of each file that has any, and every step holds", async () => {
    const args = ["quickstart", "--dir", "story", "--source", "notes"];
    const ended = await project.emb([...args, "--json"]);
    expect(ended.code).toBe(0);
    const { ok, steps, verdict, report } = documentOf(ended, Story);
    expect(verdict).toBe("INCONCLUSIVE"); // of two questions nothing follows
    expect(await readFile(report, "utf8")).toContain("<title>INCONCLUSIVE: use_lite to st_minilm</title>");
    expect(ok).toBe(true);
    const seen = Object.fromEntries(steps.map(({ name, ...step }) => [name, step.seen]));
    expect(seen).toMatchObject({
      "fill the baseline": "handbook_use_lite ready: 3 documents, 2 chunks, 2 embedded",
      "answer questions": "2 answered by use_lite",
      decide: "INCONCLUSIVE: nDCG@10 use_lite 1.000, st_minilm 1.000",
      "roll back": "0 texts embedded",
      "the first answers again": "2 answers, byte for byte",
    });
    expect(steps.every((step) => step.ok)).toBe(true);
  });
});

const Story = z.object({
  ok: z.boolean(),
  verdict: z.string(),
  report: z.string(),
  steps: z.array(z.object({ name: z.string(), ok: z.boolean(), seen: z.string() })),
});
