import { rm } from "node:fs/promises";
import { AssertionError } from "node:assert/strict";
import { EmbError } from "@emb/manifest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyDatabase, workerUrl } from "../test/database-copy.js";
import { openEmbeddedStore } from "./embedded-store.js";
import type { Store } from "./store.js";
import { brokenStores } from "./testing/broken-stores.js";
import { storeContract, type StoreCheck } from "./testing/index.js";

const brokenByName = new Map(Object.entries(brokenStores));
let dataDir: string;
let store: Store;

beforeAll(async () => {
  dataDir = await copyDatabase();
  store = await openEmbeddedStore({ dataDir, workerUrl });
});

afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

describe("the embedded store keeps the promises of the port", () => {
  for (const [promise, check] of Object.entries<StoreCheck>(storeContract)) it(promise, () => check(store));
});

describe("every check catches a store that breaks its promise", () => {
  it("each check has a broken store", () => {
    expect(Object.keys(brokenStores).toSorted()).toEqual(Object.keys(storeContract).toSorted());
  });
  for (const [promise, check] of Object.entries<StoreCheck>(storeContract)) {
    const breakage = brokenByName.get(promise);
    it(promise, async () => {
      const failure = await check(breakage!(store)).then(
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
