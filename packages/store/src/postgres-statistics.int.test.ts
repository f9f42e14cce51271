import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseOneRow } from "./sql-rows.js";
import { openCopy, type OpenedCopy } from "../test/database-copy.js";
import { documentOf, newBase, sealOf } from "./testing/sealed-sample.js";

const Statistics = z.object({ known: z.int() });

describe("what the planner knows of documents once shards are cut", () => {
  let opened: OpenedCopy;
  beforeAll(async () => {
    opened = await openCopy();
  });
  afterAll(() => opened.close());

  const cutWith = async (documents: number): Promise<z.infer<typeof Statistics>> => {
    const { store, driver } = opened;
    const base = newBase();
    const record = await store.namespaces.create(
      { base, suffix: "one", mode: "profile", namespace: `${base}_one` },
      sealOf(),
    );
    const run = { id: randomUUID(), base, namespaceId: record.id, profile: "sample", source: "sample", version: 5n };
    await store.runs.create(run);
    const text = "x".repeat(500);
    await store.documents.intake({
      base,
      runId: run.id,
      source: "sample",
      documents: Array.from({ length: documents }, (_, i) =>
        documentOf(`d${String(i).padStart(4, "0")}`, 5n, { text }),
      ),
    });
    await store.runs.cutShards(run.id, 1_000);
    return parseOneRow(
      Statistics,
      await driver.query("SELECT reltuples::integer AS known FROM pg_class WHERE oid = 'emb.documents'::regclass"),
    );
  };

  it("follows the table's size, and is not made anew for a handful more", async () => {
    expect(await cutWith(600)).toEqual({ known: 600 });
    expect(await cutWith(1)).toEqual({ known: 600 });
    expect(await cutWith(600)).toEqual({ known: 1_201 });
  });
});
