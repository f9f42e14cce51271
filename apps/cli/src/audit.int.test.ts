import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createEmbeddedDriver, openEmbeddedStore } from "@emb/store";
import { createFilledProject, createProject, documentOf, type Project } from "./command.fixture.js";

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
const Verified = z.object({
  ok: z.boolean(),
  rows: z.number(),
  head: z.string(),
  first_bad: z.number().nullable(),
  code: z.string().optional(),
});

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
    project = await createFilledProject();
    const verified = documentOf(await project.emb(["audit", "verify", "--json"]), Verified);
    expect(verified).toMatchObject({ ok: true, rows: 5, first_bad: null });
    head = verified.head;
  });
  afterAll(() => project.remove());

  it("lists the newest decisions, and those of one action", async () => {
    const listed = documentOf(await project.emb(["audit", "list", "--json"]), Listed);
    expect(listed.entries.map(({ sequence, action }) => [sequence, action])).toEqual([
      [5, "run.ready"],
      [4, "run.started"],
      [3, "override.permitted"],
      [2, "run.ready"],
      [1, "run.started"],
    ]);
    const ready = documentOf(
      await project.emb(["audit", "list", "--action", "run.ready", "--limit", "1", "--json"]),
      Listed,
    );
    expect(ready).toMatchObject({ rows: 5, entries: [{ sequence: 5, detail: { namespace: "docs_two", chunks: 3 } }] });
    const people = await project.emb(["audit", "list", "--limit", "1"]);
    expect(people.stdout).toContain(`1 of 5 rows, head ${head}`);
  });

  it("exports rows that prove themselves, as lines and as one document", async () => {
    const document = documentOf(await project.emb(["audit", "export", "--json"]), Exported);
    expect(document).toMatchObject({ rows: 5, head });
    expect(provenHead(document.entries)).toBe(head);
    const { stdout, stderr } = await project.emb(["audit", "export"]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => Row.parse(JSON.parse(line)))).toEqual(document.entries);
    expect(stderr).toContain(`emb audit verify --expect-head ${head}`);
  });

  it("says which head it looked for, and refuses what is none", async () => {
    const other = "0123".repeat(16);
    const looked = await project.emb(["audit", "verify", "--expect-head", other]);
    expect(looked.code).toBe(1);
    expect(looked.stdout).toContain("EMB_AUDIT_BROKEN");
    expect(looked.stdout).toContain(`expected a row with head ${other}, seen 5 rows`);
    const none = await project.emb(["audit", "verify", "--expect-head", head.slice(0, 12)]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("--expect-head: expected 64 hexadecimal") });
  });

  it("exports a log that is longer than a page whole, each row once", async () => {
    const long = await createProject();
    const store = await openEmbeddedStore({ dataDir: join(long.dir, ".emb") });
    const rows = 1_001;
    for (let row = 1; row <= rows; row++) await store.audit.append({ action: "check", actor: "test", detail: { row } });
    await store.close();
    const document = documentOf(await long.emb(["audit", "export", "--json"]), Exported);
    expect(document.entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: rows }, (_, at) => at + 1));
    expect(provenHead(document.entries)).toBe(document.head);
    await long.remove();
  });

  // Rows removed, reordered or cut off at the end as well: packages/store/src/postgres-audit.int.test.ts.
  it("verify finds and names a changed row, and rows cut off together with the head", async () => {
    const byHand = async (statements: string) => {
      const driver = await createEmbeddedDriver({ directory: join(project.dir, ".emb", "postgres") });
      await driver.exec(`SET session_replication_role = replica; ${statements}`);
      await driver.close();
    };
    const verify = async (...args: string[]) => {
      const ended = await project.emb(["audit", "verify", ...args, "--json"]);
      return { exit: ended.code, ...documentOf(ended, Verified) };
    };
    await byHand(`UPDATE emb.audit SET entry = replace(entry, 'run.ready', 'run.reads') WHERE sequence = 2`);
    expect(await verify()).toMatchObject({ exit: 1, ok: false, code: "EMB_AUDIT_BROKEN", first_bad: 2 });
    await byHand(`UPDATE emb.audit SET entry = replace(entry, 'run.reads', 'run.ready') WHERE sequence = 2;
      DELETE FROM emb.audit WHERE sequence >= 4;
      UPDATE emb.audit_head SET row_count = 3, hash = (SELECT hash FROM emb.audit WHERE sequence = 3)`);
    expect(await verify("--expect-head", head)).toMatchObject({ exit: 1, ok: false, first_bad: 4 });
    expect((await project.emb(["audit", "verify"])).code).toBe(0); // what is left is whole again
  });
});
