import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createEmbeddedDriver } from "@emb/store";
import { createProject, documentOf, ferries, type Project } from "./command.fixture.js";

const Row = z.object({ sequence: z.number(), entry: z.string(), hash: z.string() });
const Exported = z.object({ rows: z.number(), head: z.string(), entries: z.array(Row) });
const Listed = z.object({
  rows: z.number(),
  entries: z.array(
    z.object({
      sequence: z.number(),
      action: z.string(),
      actor: z.string(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
});
const Verified = z.object({ ok: z.boolean(), rows: z.number(), head: z.string(), first_bad: z.number().nullable() });

/** What was exported proves itself: no database is asked. */
const provenHead = (rows: readonly z.infer<typeof Row>[]): string =>
  rows.reduce((before, { entry, hash }) => {
    expect(createHash("sha256").update(`${before}\n${entry}`).digest("hex")).toBe(hash);
    return hash;
  }, "0".repeat(64));

describe("emb audit", () => {
  let project: Project;
  let head: string;
  beforeAll(async () => {
    project = await createProject(ferries(2));
    for (let i = 0; i < 2; i++) await project.emb(["reingest", "--to", "one", "--source", "docs", "--yes"]);
    head = documentOf(await project.emb(["audit", "verify", "--json"]), Verified).head;
  });
  afterAll(() => project.remove());

  it("lists the newest decisions, and those of one action", async () => {
    const listed = documentOf(await project.emb(["audit", "list", "--json"]), Listed);
    expect(listed.entries.map(({ sequence, action }) => [sequence, action])).toEqual([
      [4, "run.ready"],
      [3, "run.started"],
      [2, "run.ready"],
      [1, "run.started"],
    ]);
    const ready = documentOf(
      await project.emb(["audit", "list", "--action", "run.ready", "--limit", "1", "--json"]),
      Listed,
    );
    expect(ready).toMatchObject({ rows: 4, entries: [{ sequence: 4, detail: { namespace: "docs_one", chunks: 2 } }] });
    const people = await project.emb(["audit", "list", "--limit", "1"]);
    expect(people.stdout).toContain(`1 of 4 rows, head ${head}`);
  });

  it("exports rows that prove themselves, as lines and as one document", async () => {
    const document = documentOf(await project.emb(["audit", "export", "--json"]), Exported);
    expect(document).toMatchObject({ rows: 4, head });
    expect(provenHead(document.entries)).toBe(head);
    const { stdout, stderr } = await project.emb(["audit", "export"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => Row.parse(JSON.parse(line)))).toEqual(document.entries);
    expect(stderr).toContain(`emb audit verify --expect-head ${head}`);
  });

  const cut =
    "DELETE FROM emb.audit WHERE sequence >= 3; UPDATE emb.audit_head SET row_count = 2, hash = (SELECT hash FROM emb.audit WHERE sequence = 2)";
  it.each([
    ["changed", `UPDATE emb.audit SET entry = replace(entry, 'run.ready', 'run.reads') WHERE sequence = 2`, [], 2],
    ["removed", `DELETE FROM emb.audit WHERE sequence = 2`, [], 2],
    [
      "reordered",
      `UPDATE emb.audit SET sequence = CASE sequence WHEN 2 THEN 30 ELSE 2 END WHERE sequence IN (2, 3); UPDATE emb.audit SET sequence = 3 WHERE sequence = 30`,
      [],
      2,
    ],
    ["cut-off", `DELETE FROM emb.audit WHERE sequence = 4`, [], 4],
    ["cut-off (with its head)", cut, ["--expect-head"], 3],
  ])("verify finds and names a %s row", async (_name, sql, expecting, firstBad) => {
    const directory = join(project.dir, ".emb", "postgres");
    const byHand = async (statements: string) => {
      const driver = await createEmbeddedDriver({ directory });
      await driver.exec(`SET session_replication_role = replica; ${statements}`);
      await driver.close();
    };
    await byHand(
      `CREATE TABLE public.kept AS SELECT * FROM emb.audit; CREATE TABLE public.kept_head AS SELECT * FROM emb.audit_head; ${sql}`,
    );
    const args = expecting.length === 0 ? [] : ["--expect-head", head];
    const verified = await project.emb(["audit", "verify", ...args, "--json"]);
    await byHand(`TRUNCATE emb.audit, emb.audit_head; INSERT INTO emb.audit SELECT * FROM public.kept;
      INSERT INTO emb.audit_head SELECT * FROM public.kept_head; DROP TABLE public.kept, public.kept_head`);
    expect(verified.code).toBe(1);
    expect(documentOf(verified, Verified)).toMatchObject({ ok: false, first_bad: firstBad });
    expect((await project.emb(["audit", "verify"])).code).toBe(0);
  });

  it("says which head it looked for, and refuses what is none", async () => {
    const other = "0123".repeat(16);
    const looked = await project.emb(["audit", "verify", "--expect-head", other]);
    expect(looked.code).toBe(1);
    expect(looked.stdout).toContain(`expected a row with head ${other}, seen 4 rows`);
    const none = await project.emb(["audit", "verify", "--expect-head", head.slice(0, 12)]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("--expect-head: expected 64 hexadecimal") });
  });
});
