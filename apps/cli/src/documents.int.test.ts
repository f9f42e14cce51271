import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, failureOf, shown, type Project } from "./command.fixture.js";

const Reingested = z.object({
  namespace: z.string(),
  state: z.string(),
  documents: z.number(),
  chunks: z.object({ total: z.number(), embedded: z.number(), skipped: z.number(), failed: z.number() }),
  intake: z.object({ seen: z.number(), empty: z.number(), set_aside: z.number() }),
  set_aside: z.array(z.object({ document_id: z.string(), code: z.string(), reason: z.string() })),
});

/** One line each, far over the 256 tokens that the model reads. */
const WORDS = Array.from({ length: 1000 }, (_, place) => `ferry${place}`).join(" ");
const WORDLESS = "abcdefghij".repeat(300);

describe("documents that cannot be taken as they are", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject({
      "config/production.yaml": "embedding: { profile: one }\ningest: { max_document_bytes: 100000 }\n",
    });
  });
  afterAll(() => project.remove());

  const fill = (base: string, source = base) =>
    project.emb(["reingest", "--to", "one", "--base", base, "--source", source, "--yes", "--json"]);

  it("sets aside what is unreadable, not UTF-8 or too large, names each, takes the rest, and is ready once they are repaired", async () => {
    await project.write("mixed/good.md", "# Good\n\nThe good ferry leaves at noon.\n");
    await project.write("mixed/latin.md", Buffer.from("Die F\xe4hre legt ab.\n", "latin1"));
    await project.write("mixed/huge.md", "x".repeat(100_001));
    await mkdir(join(project.dir, "mixed/folder.md")); // readable for root too, but no file
    await symlink(join(project.dir, "mixed/nowhere"), join(project.dir, "mixed/dangling.md"));

    const first = await fill("mixed");
    expect(first.code).toBe(1);
    const report = documentOf(first, Reingested);
    expect(report).toMatchObject({ state: "failed", documents: 1, chunks: { total: 1, embedded: 1, failed: 0 } });
    expect(report.set_aside.map(({ document_id, code }) => [document_id, code])).toEqual([
      ["dangling.md", "EMB_DOCUMENT_UNREADABLE"],
      ["folder.md", "EMB_DOCUMENT_UNREADABLE"],
      ["huge.md", "EMB_DOCUMENT_TOO_LARGE"],
      ["latin.md", "EMB_DOCUMENT_INVALID"],
    ]);
    expect(report.set_aside.every(({ reason }) => reason.includes("expected"))).toBe(true);

    const people = await project.emb(["reingest", "--to", "one", "--base", "mixed", "--source", "mixed", "--yes"]);
    expect(people.code).toBe(1);
    expect(people.stdout).toContain("  set aside latin.md: EMB_DOCUMENT_INVALID ");
    expect(people.stdout).toContain("  Repair what is named above and run the same command again");
    expect(shown(people, project).stack).toBe(false);

    const asked = await project.emb(["search", "ferry", "--base", "mixed", "--json"]);
    expect({ exit: asked.code, code: failureOf(asked).code }).toEqual({ exit: 78, code: "EMB_NAMESPACE_NOT_READY" });

    await rm(join(project.dir, "mixed/folder.md"), { recursive: true });
    await rm(join(project.dir, "mixed/dangling.md"));
    await project.write("mixed/latin.md", "Die Fähre legt ab.\n");
    await project.write("mixed/huge.md", "A small ferry.\n");
    const repaired = await fill("mixed");
    expect(repaired.code).toBe(0);
    expect(documentOf(repaired, Reingested)).toMatchObject({
      state: "ready",
      documents: 3,
      chunks: { total: 3, embedded: 2, skipped: 1, failed: 0 },
      set_aside: [],
    });
  });

  it("refuses a folder without a document, and another source may follow", async () => {
    await mkdir(join(project.dir, "nothing"));
    const refused = await project.emb(["reingest", "--to", "one", "--base", "later", "--source", "nothing", "--yes"]);
    expect(shown(refused, project)).toEqual({
      exit: 2,
      errors: ["EMB_SOURCE_EMPTY source folder:./nothing: expected at least one document, found none"],
      actions: [
        "Check what it names: a folder is read for .md, .markdown and .txt files, a table or query for its rows.",
      ],
      stack: false,
    });
    await project.write("something/a.md", "The ferry leaves at noon.\n");
    expect(documentOf(await fill("later", "something"), Reingested)).toMatchObject({ state: "ready", documents: 1 });
  });

  it.each([
    [
      "nothing at the path",
      "nowhere",
      "EMB_SOURCE_MISSING source ./nowhere: expected a folder or a JSONL file, found nothing",
    ],
    [
      "a file of another kind",
      "config/production.yaml",
      "EMB_SOURCE_INVALID source ./config/production.yaml: expected a folder or a .jsonl file, found another file",
    ],
  ])("refuses a source with %s", async (_, source, error) => {
    const { exit, errors, actions, stack } = shown(
      await project.emb(["reingest", "--to", "one", "--source", source, "--yes"]),
      project,
    );
    expect({ exit, errors, stack }).toEqual({ exit: 2, errors: [error], stack: false });
    expect(actions).toHaveLength(1);
  });

  it("keeps a document without text, and cuts a line longer than the model takes instead of losing its end", async () => {
    await project.write("long/empty.md", "");
    await project.write("long/words.txt", WORDS);
    await project.write("long/wordless.txt", WORDLESS);
    const ended = await fill("long");
    expect(ended.code).toBe(0);
    const { chunks, ...report } = documentOf(ended, Reingested);
    expect(report).toMatchObject({
      state: "ready",
      documents: 3,
      intake: { seen: 3, empty: 1, set_aside: 0 },
      set_aside: [],
    });
    expect(chunks.embedded + chunks.skipped).toBe(chunks.total);
    expect(chunks.failed).toBe(0);
    const found = await project.emb(["search", "ferry", "--base", "long", "--top-k", "1000", "--json"]);
    const { results } = documentOf(found, Answer);
    const textOf = (id: string) =>
      results
        .filter(({ document_id }) => document_id === id)
        .toSorted((a, b) => Number(a.chunk_id.split("#")[1]) - Number(b.chunk_id.split("#")[1]))
        .map(({ text }) => text)
        .join("");
    expect(results).toHaveLength(chunks.total);
    expect(textOf("words.txt").replaceAll(" ", "")).toBe(WORDS.replaceAll(" ", ""));
    expect(textOf("wordless.txt")).toBe(WORDLESS);
  });
});

const Answer = z.object({
  results: z.array(z.object({ document_id: z.string(), chunk_id: z.string(), text: z.string() })),
});
