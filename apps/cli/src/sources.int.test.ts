import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProject, type Project } from "./command.fixture.js";

const address = process.env["TEST_DATABASE_URL"]?.trim() ?? "";
const skip = address === "" ? " (skipped: TEST_DATABASE_URL is not set)" : "";

let project: Project;
beforeAll(async () => {
  project = await createProject({
    "docs/guides/a.md": "# A\n\nThe ferry leaves at six.",
    "docs/guides/b.md": "# B\n\nThe museum opens at nine.",
    "docs/notes/c.md": "# C\n\nThe baker closes at noon.",
  });
}, 60_000);
afterAll(() => project.remove());

const run = async (args: readonly string[]) => {
  const { code, stdout } = await project.emb([...args, "--json"], { EMBEDDING_PROFILE_SWAPPABLE: "true" });
  return { code, seen: JSON.parse(stdout) as unknown };
};

describe("what a re-ingest reads", () => {
  it("a part, then all of it, then what is stored", { timeout: 120_000 }, async () => {
    const guides = ["--source", "docs", "--scope", "path:guides/**"];
    expect(await run(["plan", "--to", "one", ...guides, "--limit", "1"])).toMatchObject({
      code: 0,
      seen: { documents: 1 },
    });
    expect(await run(["reingest", "--to", "one", ...guides, "--limit", "1", "--yes"])).toMatchObject({
      code: 0,
      seen: { state: "ready", documents: 1 }, // all that the base holds so far
    });
    expect(await run(["reingest", "--to", "one", "--source", "docs", "--yes"])).toMatchObject({
      code: 0,
      seen: { state: "ready", documents: 3 },
    });
    expect(await run(["reingest", "--to", "two", ...guides, "--yes"])).toMatchObject({
      code: 1,
      seen: {
        state: "failed",
        documents: 2,
        reason: expect.stringContaining("documents: seen 2 of 3"),
      },
    });
    expect(await run(["reingest", "--to", "two", "--source", "stored", "--yes"])).toMatchObject({
      code: 0,
      seen: { state: "ready", documents: 3, intake: null, chunks: { embedded: 1 } },
    });
  });

  it.each([
    [["--source", "docs", "--scope", "guides"], /expected path:GLOB or metadata:KEY=VALUE/],
    [["--source", "docs", "--limit", "few"], /--limit/],
    [["--source", "docs", "--limit", "0"], /--limit: expected at least 1 document, got 0/],
    [["--source", "docs", "--table", "x"], /--table goes with a PostgreSQL source/],
    [["--source", "stored", "--limit", "1"], /stored documents are not read again/],
    [["--source", "postgres://h/d"], /needs --table or --query/],
    [["--source", "postgres://h/d", "--table", "x", "--query", "y"], /needs --table or --query/],
  ])("%j is wrong usage", async (args, message) => {
    const { code, stderr } = await project.emb(["plan", "--to", "one", ...args]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });
});

describe.skipIf(skip !== "")(`a PostgreSQL database as source${skip}`, () => {
  const table = `articles_${randomBytes(6).toString("hex")}`;
  it("fills a namespace from a table, and takes in what changed and what is gone", { timeout: 120_000 }, async () => {
    const client = new Client({ connectionString: address });
    await client.connect();
    try {
      await client.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, text text, lang text)`);
      await client.query(
        `INSERT INTO ${table} VALUES (1, 'The tide is low at four.', 'en'), (2, 'Ebbe um vier.', 'de')`,
      );
      const from = ["--source", `postgres:${address}`, "--table", table, "--base", "shop", "--yes"];
      expect(await run(["reingest", "--to", "one", ...from])).toMatchObject({
        code: 0,
        seen: { state: "ready", documents: 2, intake: { created: 2 } },
      });
      await client.query(`UPDATE ${table} SET text = 'The tide is low at five.' WHERE id = 1`);
      await client.query(`DELETE FROM ${table} WHERE id = 2`);
      expect(await run(["reingest", "--to", "one", ...from])).toMatchObject({
        code: 0,
        seen: { state: "ready", documents: 1, intake: { changed: 1, removed: 1 } },
      });
    } finally {
      await client.query(`DROP TABLE IF EXISTS ${table}`);
      await client.end();
    }
  });
});
