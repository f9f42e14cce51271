import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverSkip, serverUrl } from "../test/server-schema.js";
import { createServerDriver } from "./server-driver.js";
import { openServerStore } from "./server-store.js";
import type { SqlDriver } from "./sql-driver.js";

const name = (kind: string) => `emb_${kind}_${randomBytes(4).toString("hex")}`;
const SECRET = "swordfish-7";

describe.skipIf(serverSkip !== "")(`roles with few rights${serverSkip}`, () => {
  const role = name("role");
  const databases: string[] = [];
  let admin: SqlDriver;
  beforeAll(async () => {
    admin = await createServerDriver({ connectionString: serverUrl(), maxConnections: 1 });
    await admin.exec(`CREATE ROLE ${role} LOGIN PASSWORD '${SECRET}'`);
  });
  afterAll(async () => {
    for (const database of databases) await admin.exec(`DROP DATABASE ${database} WITH (FORCE)`);
    await admin.exec(`DROP ROLE ${role}`);
    await admin.close();
  });

  const address = (database: string, user?: string): string => {
    const url = new URL(serverUrl());
    url.pathname = `/${database}`;
    if (user !== undefined) [url.username, url.password] = [user, SECRET];
    return url.href;
  };
  /** @param statements run in it by an administrator */
  const newDatabase = async (...statements: string[]): Promise<string> => {
    const database = name("rights");
    await admin.exec(`CREATE DATABASE ${database}`);
    databases.push(database);
    const inside = await createServerDriver({ connectionString: address(database), maxConnections: 1 });
    for (const statement of statements) await inside.exec(statement);
    await inside.close();
    return database;
  };
  const open = async (database: string) => {
    const store = await openServerStore({ connectionString: address(database, role), maxConnections: 2 });
    try {
      await store.audit.append({ action: "check", actor: "test", detail: {} });
      return (await store.audit.head()).rows;
    } finally {
      await store.close();
    }
  };
  const refusal = (database: string) =>
    open(database).then(
      () => null,
      ({ code, message, hint }: Record<string, string>) => ({ code, message, hint }),
    );

  it("may not make the extension: refused with what an administrator runs, and then let in", async () => {
    const database = await newDatabase();
    await admin.exec(`GRANT CREATE ON DATABASE ${database} TO ${role}`);
    expect(await refusal(database)).toEqual({
      code: "EMB_STORE_REFUSED",
      message: `role ${role} cannot set up database ${database}: the extension vector is not there, and it may not make it`,
      hint: "An administrator runs once, in that database: CREATE EXTENSION vector;",
    });
    const inside = await createServerDriver({ connectionString: address(database) });
    await inside.exec("CREATE EXTENSION vector;");
    await inside.close();
    expect(await open(database)).toBe(1);
  });

  it("may make neither extension nor schema: both are said at once, and what is said suffices", async () => {
    const database = await newDatabase();
    const refused = await refusal(database);
    expect(refused).toMatchObject({
      code: "EMB_STORE_REFUSED",
      hint: `An administrator runs once, in that database: CREATE EXTENSION vector; CREATE SCHEMA emb AUTHORIZATION ${role};`,
    });
    expect(JSON.stringify(refused)).not.toContain(SECRET);
    const inside = await createServerDriver({ connectionString: address(database) });
    await inside.exec(refused?.hint?.split("in that database: ")[1] ?? "");
    await inside.close();
    expect(await open(database)).toBe(1);
    expect(await open(database)).toBe(2);
  });

  it("has the extension in a schema that it does not look in: told the way", async () => {
    const database = await newDatabase(
      "CREATE SCHEMA extensions",
      "CREATE EXTENSION vector SCHEMA extensions",
      `CREATE SCHEMA emb AUTHORIZATION ${role}`,
    );
    const refused = await refusal(database);
    expect(refused).toMatchObject({ code: "EMB_STORE_REFUSED" });
    const inside = await createServerDriver({ connectionString: address(database) });
    await inside.exec(refused?.hint?.split("in that database: ")[1] ?? "");
    await inside.close();
    expect(await open(database)).toBe(1);
  });

  it("may not make the schema of the queue: works without wake-ups, says what an administrator runs, and that suffices", async () => {
    const database = await newDatabase("CREATE EXTENSION vector", `CREATE SCHEMA emb AUTHORIZATION ${role}`);
    const warnings: string[] = [];
    const openWarned = () =>
      openServerStore({
        connectionString: address(database, role),
        maxConnections: 2,
        onWarning: (message) => void warnings.push(message),
      });
    const before = await openWarned();
    await before.wakeups.send(1);
    expect(await before.wakeups.take()).toBe(false);
    await before.close();
    expect(warnings).toEqual([
      `workers are not woken and look for themselves: role ${role} cannot set up database ${database}: schema emb_boss is not there, and it may not make it. An administrator runs once, in that database: CREATE SCHEMA emb_boss AUTHORIZATION ${role};`,
    ]);
    const inside = await createServerDriver({ connectionString: address(database) });
    await inside.exec(warnings[0]?.split("in that database: ")[1] ?? "");
    await inside.close();
    const after = await openWarned();
    await after.wakeups.send(1);
    expect([await after.wakeups.take(), await after.wakeups.take()]).toEqual([true, false]);
    await after.close();
    expect(warnings).toHaveLength(1);
  });

  it("may not make tables in a schema that is set up: opens it all the same", async () => {
    const database = await newDatabase("CREATE EXTENSION vector");
    await (await openServerStore({ connectionString: address(database) })).close();
    const inside = await createServerDriver({ connectionString: address(database) });
    await inside.exec(
      `GRANT USAGE ON SCHEMA emb TO ${role}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA emb TO ${role}`,
    );
    await inside.close();
    expect(await open(database)).toBe(1);
  });

  it("is not known, or comes with another password: refused without the password", async () => {
    const url = new URL(serverUrl());
    [url.username, url.password] = [`${role}_nobody`, SECRET];
    const failure = await openServerStore({ connectionString: url.href }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "EMB_STORE_REFUSED" });
    expect(String(failure) + JSON.stringify(failure)).not.toContain(SECRET);
  });
});
