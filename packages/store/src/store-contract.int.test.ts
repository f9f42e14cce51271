import { rm } from "node:fs/promises";
import { AssertionError } from "node:assert/strict";
import { EmbError } from "@emb/manifest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyDatabase, workerUrl } from "../test/database-copy.js";
import { openServerSchema, serverSkip } from "../test/server-schema.js";
import { openEmbeddedStore } from "./embedded-store.js";
import type { Store } from "./store.js";
import { brokenStores } from "./testing/broken-stores.js";
import { storeContract, type StoreCheck } from "./testing/index.js";

const brokenByName = new Map(Object.entries(brokenStores));

interface Opened {
  readonly store: Store;
  close(): Promise<void>;
}

async function openEmbedded(): Promise<Opened> {
  const dataDir = await copyDatabase();
  const store = await openEmbeddedStore({ dataDir, workerUrl });
  const close = async () => {
    await store.close();
    await rm(dataDir, { recursive: true });
  };
  return { store, close };
}

it("each check has a broken store", () => {
  expect(Object.keys(brokenStores).toSorted()).toEqual(Object.keys(storeContract).toSorted());
});

describe.each([
  ["the embedded store", "", openEmbedded],
  ["the store in a server", serverSkip, openServerSchema],
] as const)("%s%s", (_name, skip, open) => {
  let opened: Opened;
  beforeAll(async () => {
    if (skip === "") opened = await open();
  });
  afterAll(async () => {
    if (skip === "") await opened.close();
  });

  describe.skipIf(skip !== "")("keeps the promises of the port", () => {
    for (const [promise, check] of Object.entries<StoreCheck>(storeContract)) it(promise, () => check(opened.store));
  });

  describe.skipIf(skip !== "")("is caught by every check when it breaks the promise", () => {
    for (const [promise, check] of Object.entries<StoreCheck>(storeContract)) {
      const breakage = brokenByName.get(promise);
      it(promise, async () => {
        const failure = await check(breakage!(opened.store)).then(
          () => null,
          (error: unknown) => error,
        );
        // a crash of the breakage itself would prove nothing
        const caught =
          failure instanceof AssertionError || (failure instanceof EmbError && failure.code !== "EMB_INTERNAL");
        expect(caught, String(failure)).toBe(true);
      });
    }
  });
});
