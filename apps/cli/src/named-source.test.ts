import { describe, expect, it } from "vitest";
import { openNamedSource } from "./named-source.js";

const settings = { ingest: { maxDocumentBytes: 1_000 } };
const nameOf = async (options: Parameters<typeof openNamedSource>[2]) =>
  (await openNamedSource({ cwd: "/" }, settings, options)).name;

describe("a source as the command line can be given again", () => {
  it.each([
    ["postgres://me:hunter2@db:5432/shop", "postgres://me@db:5432/shop"],
    ["postgres:postgres://me:hunter:2@db/shop", "postgres:postgres://me@db/shop"],
    ["postgres://db/shop?password=hunter2&sslmode=require", "'postgres://db/shop?sslmode=require'"],
  ])("%s keeps its password to itself", async (source, name) => {
    expect(await nameOf({ source, table: "articles" })).toBe(`${name} --table articles`);
  });

  it("with everything that narrows it", async () => {
    const options = { source: "postgres://db/shop", query: "SELECT 'x' AS id", scope: ["path:a*"], limit: "3" };
    expect(await nameOf(options)).toBe(
      String.raw`postgres://db/shop --query 'SELECT '\''x'\'' AS id' --scope 'path:a*' --limit 3`,
    );
  });
});
