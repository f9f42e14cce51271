import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, type Project } from "./command.fixture.js";

const DOCUMENTS = 100_000;
const TEXTS = 100;

describe("100,000 tiny documents of 100 distinct texts", () => {
  let project: Project;
  beforeAll(async () => {
    const lines = Array.from({ length: DOCUMENTS }, (_, place) =>
      JSON.stringify({ id: `d${place}`, text: `Ferry number ${place % TEXTS} leaves at noon.` }),
    );
    project = await createProject({ "tiny.jsonl": lines.join("\n") });
  });
  afterAll(() => project.remove());

  it(
    "are stored each and embedded once for each text, also when the reading was killed half way",
    { timeout: 600_000 },
    async () => {
      const args = ["reingest", "--to", "one", "--source", "tiny.jsonl", "--yes", "--json"];
      const reading = project.start(args);
      await reading.says(/^read {4}\d{4,} documents/m);
      expect((await reading.kill("SIGKILL")).code).toBeNull();

      const ended = await project.emb(args);
      expect(ended.code).toBe(0);
      expect(documentOf(ended, Reingested)).toEqual({
        state: "ready",
        documents: DOCUMENTS,
        chunks: { total: DOCUMENTS, embedded: TEXTS, skipped: DOCUMENTS - TEXTS, failed: 0 },
        drift_pct: 0,
      });
    },
  );
});

const Reingested = z.object({
  state: z.string(),
  documents: z.number(),
  chunks: z.object({ total: z.number(), embedded: z.number(), skipped: z.number(), failed: z.number() }),
  drift_pct: z.number(),
});
