import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createFilledProject, documentOf, failureOf, type Project } from "./command.fixture.js";

const Changed = z.object({
  document_id: z.string(),
  version: z.int(),
  state: z.string(),
  namespaces: z.array(z.object({ namespace: z.string(), state: z.string(), code: z.string().optional() })),
});
const Status = z.object({
  namespaces: z.array(
    z.object({
      namespace: z.string(),
      lag: z.int(),
      queued: z.int(),
      set_aside: z.int(),
      oldest_change_s: z.number().nullable(),
      live_spend: z.object({ texts: z.int(), cost_usd: z.number().nullable() }),
    }),
  ),
});
const Found = z.object({ results: z.array(z.object({ document_id: z.string(), text: z.string() })) });
const Verified = z.object({ ok: z.boolean(), found: z.int(), lag: z.int(), drift_pct: z.number() });
const Audit = z.object({
  entries: z.array(z.object({ action: z.string(), detail: z.record(z.string(), z.unknown()) })),
});

/** Of a document that both namespaces hold already. */
const ID = "ferry-0000.md";

describe("emb put and emb delete", { timeout: 300_000 }, () => {
  let project: Project;
  const emb = (...args: string[]) => project.emb([...args, "--json"], { EMBEDDING_PROFILE_SWAPPABLE: "true" });
  const states = ({ namespaces }: z.infer<typeof Changed>) => namespaces.map(({ state }) => state);
  beforeAll(async () => {
    project = await createFilledProject({ "new.md": "# Bakery\n\nThe bakery opens at six.\n" });
  });
  afterAll(() => project.remove());

  it("show a change in every namespace, newest version first, and keep the deleted out", async () => {
    const put = documentOf(await emb("put", "new.md", "--id", ID, "--version", "7"), Changed);
    expect(put).toMatchObject({ document_id: ID, version: 7, state: "stored" });
    expect(put.namespaces).toEqual(["docs_one", "docs_two"].map((namespace) => ({ namespace, state: "written" })));
    const again = documentOf(await emb("put", "new.md", "--id", ID, "--version", "7"), Changed);
    expect([again.state, ...states(again)]).toEqual(["unchanged", "unchanged", "unchanged"]);
    const late = documentOf(await emb("put", "docs/ferry-0000.md", "--id", ID, "--version", "6"), Changed);
    expect([late.state, late.version, ...states(late)]).toEqual(["superseded", 7, "superseded", "superseded"]);
    for (const profile of ["one", "two"]) {
      const found = documentOf(await emb("search", "when does the bakery open", "--profile", profile), Found);
      expect(found.results[0]?.text).toContain("opens at six");
      const verified = documentOf(await emb("verify", "namespace", "--profile", profile), Verified);
      expect(verified).toEqual({ ok: true, found: 3, lag: 0, drift_pct: 0 });
    }
    const deleted = documentOf(await emb("delete", ID, "--version", "9"), Changed);
    expect([deleted.state, ...states(deleted)]).toEqual(["deleted", "deleted", "deleted"]);
    const older = documentOf(await emb("put", "new.md", "--id", ID, "--version", "8"), Changed);
    expect([older.state, older.version]).toEqual(["superseded", 9]);
    const { namespaces } = documentOf(await emb("status"), Status);
    expect(namespaces).toEqual(
      ["docs_one", "docs_two"].map((namespace) => ({
        namespace,
        lag: 0,
        queued: 0,
        set_aside: 0,
        oldest_change_s: null,
        live_spend: { texts: 1, cost_usd: null }, // the profiles have no price
      })),
    );
  });

  it("erase leaves an audit row with the id's hash alone", async () => {
    await emb("put", "new.md", "--id", "secret-id");
    const erased = documentOf(await emb("delete", "secret-id", "--erase"), Changed.extend({ erased: z.boolean() }));
    expect(erased).toMatchObject({ document_id: "secret-id", state: "deleted", erased: true });
    const { entries } = documentOf(await emb("audit", "list", "--action", "document.erased"), Audit);
    expect(entries).toHaveLength(1);
    expect(entries[0]?.detail["document_id_sha256"]).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(entries)).not.toContain("secret-id");
  });

  it("refuse what cannot be a document or a version, and store nothing", async () => {
    const refused = async (...args: string[]) => failureOf(await emb(...args)).code;
    expect(await refused("put", "new.md", "--id", "x", "--version", "-1")).toBe("EMB_USAGE");
    expect(await refused("put", "new.md", "--id", "x", "--metadata", "{")).toBe("EMB_USAGE");
    expect(await refused("put", "new.md", "--id", "x", "--metadata", "[1]")).toBe("EMB_DOCUMENT_INVALID");
    expect(await refused("put", "missing.md", "--id", "x")).toBe("EMB_SOURCE_MISSING");
    expect(await refused("delete", "x", "--version", "1.5")).toBe("EMB_USAGE");
    expect(failureOf(await emb("status", "--base", "dosc"))).toMatchObject({
      code: "EMB_BASE_UNKNOWN",
      errors: [{ message: expect.stringContaining("(docs)"), hint: "Did you mean --base docs?" }],
    });
    const absent = documentOf(await emb("delete", "x"), Changed);
    expect(absent.state).toBe("absent");
  });
});
