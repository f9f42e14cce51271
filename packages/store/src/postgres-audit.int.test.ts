import { afterAll, beforeAll, expect, it } from "vitest";
import type { Audit } from "./audit.js";
import { openCopy, type OpenedCopy } from "../test/database-copy.js";

let opened: OpenedCopy;
beforeAll(async () => {
  opened = await openCopy();
  for (let i = 1; i <= 5; i++) await opened.store.audit.append({ action: "check", actor: "test", detail: { i } });
});
afterAll(() => opened.close());

/** What somebody can do who owns the database and switches the triggers off, and back. */
async function tampered<T>(sql: string, look: (audit: Audit) => Promise<T>): Promise<T> {
  const { driver, store } = opened;
  const unguarded = (statement: string) =>
    driver.exec(`SET session_replication_role = replica; ${statement}; SET session_replication_role = DEFAULT`);
  await unguarded(
    "CREATE TABLE public.kept AS SELECT * FROM emb.audit; CREATE TABLE public.kept_head AS SELECT * FROM emb.audit_head",
  );
  await unguarded(sql);
  const seen = await look(store.audit);
  await unguarded(`TRUNCATE emb.audit, emb.audit_head; INSERT INTO emb.audit SELECT * FROM public.kept;
    INSERT INTO emb.audit_head SELECT * FROM public.kept_head; DROP TABLE public.kept, public.kept_head`);
  expect((await store.audit.verify()).ok).toBe(true);
  return seen;
}

const tamper = (sql: string, expectHead?: string) =>
  tampered(sql, async (audit) => {
    const { ok, firstBad } = await audit.verify(expectHead);
    return { ok, firstBad };
  });

it.each([
  ["UPDATE emb.audit SET hash = ''"],
  ["DELETE FROM emb.audit WHERE sequence = 5"],
  ["TRUNCATE emb.audit"],
  ["DELETE FROM emb.audit_head"],
  ["TRUNCATE emb.audit_head"],
  ["UPDATE emb.audit_head SET row_count = 3"],
])("the database refuses %s", async (sql) => {
  await expect(opened.driver.exec(sql)).rejects.toThrow(/append-only/);
  expect((await opened.store.audit.verify()).rows).toBe(5);
});

it.each([
  ["a changed row", "UPDATE emb.audit SET entry = replace(entry, '\"i\":3', '\"i\":4') WHERE sequence = 3", 3],
  ["a changed hash", "UPDATE emb.audit SET hash = repeat('a', 64) WHERE sequence = 2", 2],
  ["a removed row", "DELETE FROM emb.audit WHERE sequence = 3", 3],
  ["the first row removed", "DELETE FROM emb.audit WHERE sequence = 1", 1],
  [
    "rows in another order",
    "UPDATE emb.audit SET sequence = CASE sequence WHEN 2 THEN 30 ELSE 2 END WHERE sequence IN (2, 3); UPDATE emb.audit SET sequence = 3 WHERE sequence = 30",
    2,
  ],
  [
    "a row put in between",
    "UPDATE emb.audit SET sequence = sequence + 1 WHERE sequence = 5; INSERT INTO emb.audit SELECT 5, entry, hash FROM emb.audit WHERE sequence = 4",
    5,
  ],
  ["a cut-off end", "DELETE FROM emb.audit WHERE sequence >= 4", 4],
  ["a gap in the numbers", "UPDATE emb.audit SET sequence = sequence + 10 WHERE sequence >= 4", 4],
  ["a row put before the first", "INSERT INTO emb.audit SELECT 0, entry, hash FROM emb.audit WHERE sequence = 4", 0],
  ["a row numbered below none", "INSERT INTO emb.audit SELECT -3, entry, hash FROM emb.audit WHERE sequence = 4", -3],
  ["a head that is gone", "DELETE FROM emb.audit_head", 1],
  ["a head that counts a row less", "UPDATE emb.audit_head SET row_count = 4", 5],
  ["a head of another log", "UPDATE emb.audit_head SET hash = repeat('a', 64)", 6],
  [
    "a row after the head",
    "INSERT INTO emb.audit SELECT 6, entry, encode(sha256(convert_to(hash || E'\\n' || entry, 'UTF8')), 'hex') FROM emb.audit WHERE sequence = 5",
    6,
  ],
])("%s is found and named", async (_name, sql, firstBad) => {
  expect(await tamper(sql)).toEqual({ ok: false, firstBad });
});

it("a log whose head is gone says so, and takes no row", async () => {
  const codeOf = (work: Promise<unknown>) => work.then(String, ({ code }: { code: string }) => code);
  const codes = await tampered("DELETE FROM emb.audit_head", async (audit) => [
    await codeOf(audit.head()),
    await codeOf(audit.append({ action: "check", actor: "test", detail: {} })),
  ]);
  expect(codes).toEqual(["EMB_AUDIT_BROKEN", "EMB_AUDIT_BROKEN"]);
});

it("an end cut off together with the head is found by a head that was noted elsewhere", async () => {
  const { head } = await opened.store.audit.head();
  const cut =
    "DELETE FROM emb.audit WHERE sequence >= 4; UPDATE emb.audit_head SET row_count = 3, hash = (SELECT hash FROM emb.audit WHERE sequence = 3)";
  expect(await tamper(cut)).toEqual({ ok: true, firstBad: null });
  expect(await tamper(cut, head)).toEqual({ ok: false, firstBad: 4 });
});

it("a log of several pages is walked to its end", async () => {
  const rows = 2_000; // ends with a page
  const at = "2026-11-28T00:00:00.000Z";
  const { audit } = opened.store;
  await opened.driver.exec(`DO $$ DECLARE text text; BEGIN FOR i IN 6..${rows} LOOP
      text := '{"action":"check","actor":"test","at":"${at}","detail":{"i":' || i || '}}';
      WITH head AS (UPDATE emb.audit_head SET row_count = row_count + 1, hash = encode(sha256(convert_to(hash || E'\\n' || text, 'UTF8')), 'hex') RETURNING row_count, hash)
      INSERT INTO emb.audit (sequence, entry, hash) SELECT row_count, text, hash FROM head;
    END LOOP; END $$`);
  expect(await audit.verify()).toMatchObject({ ok: true, rows, firstBad: null });
  const [noted] = await audit.read({ after: 1_200, limit: 1 });
  expect(noted).toMatchObject({ sequence: 1_201 });
  expect(await audit.verify(noted!.hash)).toMatchObject({ ok: true, firstBad: null }); // a head of any time before
  expect(await audit.verify("0".repeat(64))).toMatchObject({ ok: true, firstBad: null }); // noted before the first row
  await audit.append({ action: "check", actor: "test", detail: { i: rows + 1 } });
  expect(await audit.verify()).toMatchObject({ ok: true, rows: rows + 1 });
  const late = `UPDATE emb.audit SET entry = replace(entry, 'check', 'chalk') WHERE sequence = 1500`;
  expect(await tamper(late, "")).toEqual({ ok: false, firstBad: 1_500 });
  expect(await tamper(`DELETE FROM emb.audit WHERE sequence > 1700`, "")).toEqual({ ok: false, firstBad: 1_701 });
});
