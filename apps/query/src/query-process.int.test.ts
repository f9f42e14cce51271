import { spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { startQueryProcess } from "./query-process.fixture.js";

describe("the query process", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "emb-query-"));
    await cp(inject("servedFolder"), dir, { recursive: true });
  });
  afterEach(() => rm(dir, { recursive: true }));

  const start = (env: Record<string, string> = {}) => startQueryProcess(dir, env);

  it.each([
    ["a refused gate", { EMBEDDINGS_PROFILE: "two" }, 78, "gate.refused", "EMB_PROFILE_OVERRIDE_REFUSED"],
    ["an unknown profile", { EMBEDDINGS_PROFILE: "tow" }, 78, "gate.refused", "EMB_PROFILE_UNKNOWN"],
    ["a missing environment file", { ENV: "prod" }, 78, "start.failed", "EMB_CONFIG_FILE_MISSING"],
  ])("ends with one structured line, and opens neither database nor port: %s", async (_, env, exit, event, code) => {
    const { code: seen, stderr } = await start({ ...env, EMB_DATA_DIR: join(dir, "never") }).ended;
    expect(seen).toBe(exit);
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    const line = Line.parse(JSON.parse(lines[0] ?? ""));
    expect(line).toMatchObject({ level: "error", event, code });
    expect(line.hint).not.toBe("");
    await expect(rm(join(dir, "never"), { recursive: true })).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([
    [["--port", "abc"], 2, "error EMB_USAGE emb-query: expected no arguments, seen --port\n  -> "],
    [["--port=8080"], 2, "error EMB_USAGE emb-query: expected no arguments, seen --port\n  -> "],
    [["postgres://emb:s3cret-pw@db/emb"], 2, "error EMB_USAGE emb-query: expected no arguments, seen 1\n  -> "],
    [["--help"], 0, "usage: emb-query\n  "],
  ])("takes no arguments, and drops none in silence: %j", async (args, exit, said) => {
    const { code, stderr } = await startQueryProcess(dir, { EMB_DATA_DIR: join(dir, "never") }, args).ended;
    const action = "Say it in config/<env>.yaml or the environment, and start it without arguments.\n";
    expect({ code, stderr }).toEqual({ code: exit, stderr: `${said}${action}` });
  });

  it("serves on when whoever read its log has gone", async () => {
    const service = start();
    const url = await service.url;
    service.child.stderr?.destroy();
    const ask = (body: string) => fetch(`${url}/v1/query`, { method: "POST", body });
    for (let i = 0; i < 3; i++) expect((await ask(JSON.stringify({ query: "ferry" }))).status).toBe(200);
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  });

  it("holds no secret on its line, not even one that stands in the wrong variable", async () => {
    const key = "jina_4f1c9d77";
    const { code, stderr } = await start({ JINA_API_KEY: key, EMBEDDINGS_PROFILE: key }).ended;
    expect(code).toBe(78);
    expect(stderr).not.toContain(key);
    expect(lastLine(stderr).message).toContain('the requested profile "[redacted]"');
  });

  it("says of an unexpected error what cannot be a secret or a text, and nothing of its causes but names and codes", () => {
    const program = `
      import { createServiceLog, reportServiceError } from ${JSON.stringify(import.meta.resolve("../dist/index.js"))};
      const log = await createServiceLog({ write: (line) => console.error(line), env: process.env });
      const cause = Object.assign(new Error("login of postgres://emb:s3cret-pw@db/emb failed: hunter2"), { code: "28P01" });
      const error = new Error('no row for "hunter2" with s3cret-pw, sent Authorization: Bearer abcdefgh', { cause });
      reportServiceError(error, { log, signal: new AbortController().signal });`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      env: { DATABASE_URL: "postgres://emb:s3cret-pw@db/emb" },
      encoding: "utf8",
    });
    expect(JSON.parse(stderr)).toMatchObject({
      level: "error",
      event: "start.failed",
      code: "EMB_INTERNAL",
      message: 'no row for "..." with [redacted], sent Authorization: Bearer [redacted]',
      cause: ["Error 28P01"],
    });
    for (const secret of ["s3cret-pw", "hunter2", "abcdefgh"]) expect(stderr).not.toContain(secret);
  });

  const lastLine = (stderr: string) => Line.parse(JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? ""));

  it("opens no port for a namespace that is not there", async () => {
    const { code, stderr } = await start({ EMBEDDINGS_PROFILE: "two", EMBEDDING_PROFILE_EXPERIMENT: "two" }).ended;
    expect(code).toBe(78);
    expect(lastLine(stderr)).toMatchObject({ event: "start.failed", code: "EMB_NAMESPACE_NOT_FOUND" });
    expect(stderr).not.toContain("listening");
  });

  it("says that the port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = z.object({ port: z.number() }).parse(other.address());
    await writeFile(
      join(dir, "config/production.yaml"),
      `embedding: { profile: one }\nquery: { port: ${address.port} }\n`,
    );
    const { code, stderr } = await start().ended;
    other.close();
    expect(code).toBe(78);
    expect(lastLine(stderr)).toMatchObject({
      code: "EMB_USAGE",
      message: `expected to listen on 127.0.0.1:${address.port}, seen EADDRINUSE`,
    });
  });

  it("on SIGTERM takes no new request, finishes the one it has, and ends with 0", async () => {
    const { child, ended, url } = start();
    const { hostname, port } = new URL(await url);
    const body = JSON.stringify({ query: "When does the ferry leave?" });
    const headers = { "content-type": "application/json", "content-length": body.length, connection: "close" };
    const running = request({ hostname, port, path: "/v1/query", method: "POST", headers });
    const answer = new Promise<string>((resolve, reject) => {
      running.once("error", reject);
      running.once("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.once("end", () => resolve(`${response.statusCode} ${text}`));
      });
    });
    running.write(body.slice(0, 5)); // the request has begun and cannot be answered yet
    await fetch(`${await url}/healthz`); // whoever answered this has also seen the connection before it
    child.kill("SIGTERM");
    while (
      await fetch(`${await url}/healthz`).then(
        () => true,
        () => false,
      )
    ); // until no new request is taken
    running.end(body.slice(5));
    expect(await answer).toMatch(/^200 .*ferry\.md/s);
    expect((await ended).code).toBe(0);
  });
});

const Line = z.object({
  level: z.string(),
  event: z.string(),
  code: z.string(),
  message: z.string(),
  hint: z.string(),
});
