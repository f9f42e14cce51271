import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { serverSkip, serverUrl } from "../test/server-schema.js";
import { MIGRATIONS } from "./migrations.js";
import { createServerDriver } from "./server-driver.js";
import { openServerStore } from "./server-store.js";

describe.skipIf(serverSkip !== "")(`a server that has nothing of emb yet${serverSkip}`, () => {
  it("is opened by many processes at once: each step is applied once, and nobody is refused", async () => {
    const driver = await createServerDriver({ connectionString: serverUrl() });
    for (let round = 0; round < 5; round++) {
      const schema = `emb_test_${randomBytes(6).toString("hex")}`;
      const open = () => openServerStore({ connectionString: serverUrl(), schema });
      const opened = await Promise.allSettled([open(), open(), open(), open()]);
      const { rows } = await driver.query(`SELECT version FROM ${schema}.schema_version ORDER BY version`);
      for (const one of opened) if (one.status === "fulfilled") await one.value.close();
      await driver.exec(`DROP SCHEMA ${schema} CASCADE`);
      expect(opened.map((one) => (one.status === "rejected" ? one.reason : "open"))).toEqual(Array(4).fill("open"));
      expect(rows.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, step) => step + 1));
    }
    await driver.close();
  }, 60_000);
});
