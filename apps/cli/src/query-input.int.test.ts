import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createFilledProject, documentOf, shown, type Project } from "./command.fixture.js";

describe("a question on the command line", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createFilledProject();
  });
  afterAll(() => project.remove());

  it("is answered with the best document first", async () => {
    const ended = await project.emb(["search", "How many sheep does ferry number 2 carry?", "--top-k", "2", "--json"]);
    const { profile, namespace, seal, results } = documentOf(ended, Answer);
    expect({ profile, namespace, seal }).toEqual({ profile: "one", namespace: "docs_one", seal: "equal" });
    expect(results.map(({ document_id }) => document_id)[0]).toBe("ferry-0002.md");
    expect(results).toHaveLength(2);
  });

  it.each([
    ["only spaces", ["search", "   "], "EMB_TEXT_EMPTY"],
    ["more than the model takes", ["search", "ferry ".repeat(300)], "EMB_TEXT_TOO_LONG"],
    ["top_k over 1,000", ["search", "ferry", "--top-k", "1001"], "EMB_USAGE"],
    ["top_k that is no number", ["search", "ferry", "--top-k", "ten"], "EMB_USAGE"],
  ])("is refused with one action: %s", async (_, args, code) => {
    const { exit, errors, actions, stack } = shown(await project.emb(args), project);
    expect({ exit, codes: errors.map((line) => line.split(" ")[0]), stack }).toEqual({
      exit: 2,
      codes: [code],
      stack: false,
    });
    expect(actions).toHaveLength(1);
  });

  it("is never repeated in the error", async () => {
    const { stderr } = await project.emb(["search", "hunter2 ".repeat(300), "--verbose"]);
    expect(stderr).toContain("EMB_TEXT_TOO_LONG");
    expect(stderr).not.toContain("hunter2");
  });
});

const Answer = z.object({
  profile: z.string(),
  namespace: z.string(),
  seal: z.string(),
  results: z.array(z.object({ document_id: z.string() })),
});
