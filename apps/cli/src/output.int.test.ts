import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  COMMAND,
  createProject,
  documentOf,
  failureOf,
  ferries,
  shown,
  type Ended,
  type Project,
} from "./command.fixture.js";

// oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
const ESCAPE = /\u001B/;

interface Contract {
  readonly args: readonly string[];
  readonly keys: readonly string[];
  /** Keys of every row of a list, which must not be empty. */
  readonly rows?: Readonly<Record<string, readonly string[]>>;
}

/** Keys of design.md section 11. */
const CONTRACTS: readonly Contract[] = [
  {
    args: ["gate"],
    keys: ["environment", "baseline", "requested", "active", "decision", "permitted_by", "reason", "code", "warnings"],
  },
  {
    args: ["manifest", "validate"],
    keys: ["ok", "profiles", "errors"],
    rows: { profiles: ["name", "fingerprint", "space_id"] },
  },
  { args: ["manifest", "compat", "one", "two"], keys: ["result", "reasons"] },
  { args: ["namespace", "docs", "--profile", "two", "--mode", "version"], keys: ["namespace", "suffix"] },
  {
    args: ["verify", "providers"],
    keys: ["profiles"],
    rows: {
      profiles: ["name", "provider", "model", "dims", "similarity", "tokenizer", "capabilities", "missing", "live"],
    },
  },
  {
    args: ["plan", "--to", "one", "--source", "docs"],
    keys: ["documents", "chunks", "tokens", "tokens_exact", "cost_usd", "seconds", "bytes"],
  },
  {
    args: ["verify", "namespace"],
    keys: ["ok", "namespace", "expected", "found", "missing", "duplicate", "stale", "drift_pct", "checks"],
    rows: { checks: ["name", "ok", "seen", "want"] },
  },
  {
    args: ["search", "ferry"],
    keys: ["profile", "namespace", "results"],
    rows: { results: ["document_id", "chunk_id", "score", "text", "provenance"] },
  },
  {
    args: ["status"],
    keys: ["environment", "active", "baseline", "namespaces", "runs", "readers", "verdicts", "shadow_reads"],
    rows: {
      namespaces: ["namespace", "profile", "state", "documents", "chunks", "lag"],
      runs: ["run_id", "profile", "namespace", "state", "progress"],
    },
  },
  {
    args: ["runs"],
    keys: ["runs"],
    rows: { runs: ["run_id", "profile", "namespace", "state", "progress", "spend"] },
  },
  { args: ["rollback", "--to", "one"], keys: ["from", "to", "texts_embedded"] },
  {
    args: ["audit", "list"],
    keys: ["rows", "head", "entries"],
    rows: { entries: ["sequence", "at", "action", "actor", "detail", "hash"] },
  },
  {
    args: ["audit", "export"],
    keys: ["rows", "head", "entries"],
    rows: { entries: ["sequence", "entry", "hash"] },
  },
  { args: ["audit", "verify"], keys: ["ok", "rows", "head", "first_bad"] },
];

describe("what the command prints", () => {
  let project: Project;
  let filled: Ended;
  beforeAll(async () => {
    project = await createProject(ferries(3));
    filled = await project.emb(["reingest", "--to", "one", "--source", "docs", "--yes", "--json"]);
  });
  afterAll(() => project.remove());

  it.each(CONTRACTS)(
    "is one JSON document with the keys of the contract: $args --json",
    async ({ args, keys, rows = {} }) => {
      const ended = await project.emb([...args, "--json"]);
      expect(ended.code).toBe(0);
      const document = documentOf(ended, Document);
      expect(Object.keys(document)).toEqual(expect.arrayContaining([...keys]));
      for (const [list, rowKeys] of Object.entries(rows)) {
        const seen = Rows.parse(document[list]);
        for (const row of seen) expect(Object.keys(row)).toEqual(expect.arrayContaining([...rowKeys]));
      }
      expect(`${ended.stdout}${ended.stderr}`).not.toMatch(ESCAPE);
    },
  );

  it("is, for a re-ingest, one document on stdout, and the banner and plain progress lines on stderr", () => {
    expect(filled.code).toBe(0);
    expect(documentOf(filled, Reingested)).toMatchObject({
      namespace: "docs_one",
      state: "ready",
      documents: 3,
      chunks: { total: 3, embedded: 3, skipped: 0, failed: 0 },
    });
    const lines = filled.stderr.split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "Environment: production",
        "Active Profile: one",
        "Namespace: docs_one",
        "Profile Swappable: False",
        "Profile Experiment:",
        "read    3 documents: 3 new, 0 changed, 0 unchanged, 0 removed, 0 empty, 0 set aside",
        "index",
      ]),
    );
    expect(filled.stderr).not.toMatch(ESCAPE);
    expect(filled.stderr).not.toContain("\r");
  });

  it.each([
    ["a pipe", {}],
    ["NO_COLOR", { NO_COLOR: "1", FORCE_COLOR: "1" }],
  ])("has no escape codes: %s", async (_, env) => {
    const ended = await project.emb(["gate"], env);
    const failed = await project.emb(["namespace", "docs", "--profile", "nobody"], env);
    expect([ended.code, failed.code]).toEqual([0, 78]);
    expect(`${ended.stdout}${failed.stderr}`).not.toMatch(ESCAPE);
  });

  it("counts every document for a run that is ready, also those that it passed over", async () => {
    expect((await project.emb(["reingest", "--to", "one", "--source", "docs", "--yes"])).code).toBe(0);
    const status = await project.emb(["status", "--json"]);
    const all = { documents: 3, documents_total: 3 };
    expect(documentOf(status, Runs).runs).toEqual([
      { state: "ready", progress: { ...all, chunks: 0, embedded: 0 } },
      { state: "ready", progress: { ...all, chunks: 3, embedded: 3 } },
    ]);
    const people = (await project.emb(["status"])).stdout.split("\n").filter((line) => line.includes("ready  3/3"));
    expect(people).toHaveLength(2);
  });

  it.each([
    ["reingest", ["--to", "one", "--source", "docs"]],
    ["adopt", ["--profile", "one", "--namespace", "old_table"]],
  ])("%s asks for consent where nobody can answer, before anything is opened", async (command, args) => {
    const never = join(project.dir, "never");
    expect(shown(await project.emb([command, ...args], { EMB_DATA_DIR: never }), project)).toEqual({
      exit: 2,
      errors: [`EMB_CONSENT_REQUIRED ${command} writes to the database: expected --yes where nobody can be asked`],
      actions: ["Add --yes."],
      stack: false,
    });
    expect(existsSync(never)).toBe(false);
  });

  type UsageRow = [name: string, args: string[], error: string, action: string];
  it.each<UsageRow>([
    ["an unknown command", ["serch", "x"], "EMB_USAGE emb: unknown command 'serch'", "Did you mean search?"],
    [
      "an unknown subcommand",
      ["audit", "verfy"],
      "EMB_USAGE emb audit: unknown command 'verfy'",
      "Did you mean verify?",
    ],
    [
      "an unknown option",
      ["search", "x", "--bogus"],
      "EMB_USAGE emb search: unknown option '--bogus'",
      "emb search --help shows what it takes.",
    ],
    [
      "a misspelt option",
      ["audit", "verify", "--expect-hed", "x"],
      "EMB_USAGE emb audit verify: unknown option '--expect-hed'",
      "Did you mean --expect-head?",
    ],
    [
      "a missing argument",
      ["search"],
      "EMB_USAGE emb search: missing required argument 'text'",
      "emb search --help shows what it takes.",
    ],
    [
      "a missing option",
      ["reingest", "--source", "docs"],
      "EMB_USAGE emb reingest: required option '--to <profile>' not specified",
      "emb reingest --help shows what it takes.",
    ],
    ...["65536", "8080.5", "http", ""].map((port): UsageRow => [
      `the port "${port}"`,
      ["dev", "--port", port],
      `EMB_USAGE --port: expected a whole number from 0 to 65535, got "${port}"`,
      "For example --port 10.",
    ]),
    [
      "an unknown mode",
      ["namespace", "docs", "--mode", "flat"],
      'EMB_USAGE --mode: expected one of none, profile, version, model, got "flat"',
      "Use --mode profile, or leave it out to take the environment's.",
    ],
  ])("says what is wrong with the command line: %s", async (_, args, error, action) => {
    expect(shown(await project.emb(args), project)).toEqual({
      exit: 2,
      errors: [error],
      actions: [action],
      stack: false,
    });
    const asJson = await project.emb([...args, "--json"]);
    expect({ exit: asJson.code, code: failureOf(asJson).code }).toEqual({ exit: 2, code: "EMB_USAGE" });
  });

  it.each([
    [["--help"]],
    ...["gate", "namespace", "reingest", "search", "status", "rollback", "quickstart", "dev"].map((name) => [
      [name, "--help"],
    ]),
    ...["manifest validate", "manifest compat", "verify providers", "verify namespace", "audit verify"].map((name) => [
      [...name.split(" "), "--help"],
    ]),
  ])("has help with examples: %s", async (args) => {
    const { code, stdout, stderr } = await project.emb(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const examples =
      stdout
        .split("\nExamples:\n")[1]
        ?.split("\n")
        .filter((line) => line.startsWith("  $ ")) ?? [];
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.every((line) => line.includes("emb "))).toBe(true);
  });

  it.each(["status --json", "--help", "search --help"])("ends as it would when nobody reads it: %s", async (args) => {
    const script = `("${process.execPath}" "${COMMAND}" ${args}; echo "exit $?" >&2) | true`;
    const { stderr } = spawnSync("bash", ["-c", script], {
      cwd: project.dir,
      env: { PATH: process.env["PATH"], ENV: "production" },
      encoding: "utf8",
    });
    expect(stderr.trim().split("\n").at(-1)).toBe("exit 0");
    expect(stderr).not.toContain("EPIPE");
  });

  it("has in the help that the build kept what the command prints itself", async () => {
    const [kept, printed] = [await project.emb(["--help"]), await project.emb(["help"])];
    expect([kept.code, kept.stderr]).toEqual([0, ""]);
    expect(kept.stdout).toBe(printed.stdout);
    expect(kept.stdout).toContain("reingest");
  });

  it("shows the help of a group on stderr, as wrong usage", async () => {
    const { code, stdout, stderr } = await project.emb(["verify"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Usage: emb verify");
  });
});

const Counts = z.object({
  documents: z.number(),
  documents_total: z.number(),
  chunks: z.number(),
  embedded: z.number(),
});
const Runs = z.object({ runs: z.array(z.object({ state: z.string(), progress: Counts })) });
const Document = z.record(z.string(), z.unknown());
const Rows = z.array(Document).min(1);
const Reingested = z.object({
  run_id: z.string(),
  namespace: z.string(),
  state: z.string(),
  documents: z.number(),
  chunks: z.object({ total: z.number(), embedded: z.number(), skipped: z.number(), failed: z.number() }),
  tokens: z.number(),
  cost_usd: z.number().nullable(),
  seconds: z.number(),
});
