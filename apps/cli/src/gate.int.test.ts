import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, failureOf, ferries, shown, type Project } from "./command.fixture.js";

describe("the gate, on the command", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject({ "config/staging.yaml": "embedding: { profile: one }\n", ...ferries(1) });
    await rename(join(project.dir, ".emb"), join(project.dir, "kept")); // so that a test can see that none was opened
  });
  afterAll(() => project.remove());

  it.each([
    [
      "an unknown profile",
      ["gate"],
      { EMBEDDINGS_PROFILE: "onee" },
      'the requested profile "onee" of environment production is not in the manifest',
      'Did you mean "one"?',
    ],
    [
      "another letter case",
      ["gate"],
      { EMBEDDINGS_PROFILE: "Two" },
      'the requested profile "Two" of environment production is not in the manifest',
      'Did you mean "two"?',
    ],
    [
      "nothing like it",
      ["gate"],
      { EMBEDDINGS_PROFILE: "bge_m3" },
      'the requested profile "bge_m3" of environment production is not in the manifest',
      "Name one of: one, two.",
    ],
  ])("refuses %s and suggests one", async (_, args, env, reason, hint) => {
    const ended = await project.emb(args, env);
    expect(ended.code).toBe(78);
    expect(ended.stdout).toBe(`refused: ${reason}\n-> ${hint}\n`);
    expect(ended.stderr).toBe("");
    const { code, active, decision } = documentOf(await project.emb([...args, "--json"], env), Decision);
    expect({ code, active, decision }).toEqual({ code: "EMB_PROFILE_UNKNOWN", active: null, decision: "refused" });
  });

  const refusal =
    "environment production has the baseline profile one and does not permit the requested profile two; " +
    "EMBEDDING_PROFILE_EXPERIMENT=two or EMBEDDING_PROFILE_SWAPPABLE=true would permit it";
  const action = "Keep to one, or set EMBEDDING_PROFILE_EXPERIMENT=two once the change is approved.";

  it.each([
    ["reingest --to", ["reingest", "--to", "two", "--source", "docs", "--yes"], {}],
    ["search --profile", ["search", "ferry", "--profile", "two"], {}],
    ["search", ["search", "ferry"], { EMBEDDINGS_PROFILE: "two" }],
    ["dev", ["dev"], { EMBEDDINGS_PROFILE: "two" }],
  ])("refuses an override to %s before a database or a model is opened", async (_, args, env) => {
    expect(shown(await project.emb(args, env), project)).toEqual({
      exit: 78,
      errors: [`EMB_PROFILE_OVERRIDE_REFUSED ${refusal}`],
      actions: [action],
      stack: false,
    });
    expect(existsSync(join(project.dir, ".emb"))).toBe(false);
  });

  it("shows the stack only with --verbose", async () => {
    const ended = await project.emb(["search", "ferry", "--profile", "two", "--verbose"]);
    expect(shown(ended, project)).toMatchObject({ exit: 78, actions: [action], stack: true });
  });

  it.each([
    ["reingest --to", ["reingest", "--to", "two", "--source", "nowhere", "--yes", "--json"], "EMB_SOURCE_MISSING"],
    ["search --profile", ["search", "ferry", "--profile", "two", "--json"], "EMB_NAMESPACE_NOT_FOUND"],
  ])("lets an experiment through to %s and warns of nothing", async (_, args, code) => {
    const ended = await project.emb(args, { EMBEDDING_PROFILE_EXPERIMENT: "two", EMB_DATA_DIR: "kept" });
    expect(failureOf(ended).code).toBe(code); // past the gate, and stopped by the next thing
    expect(ended.stderr).not.toContain("warning");
  });

  it.each([
    ["reingest", ["reingest", "--to", "one", "--source", "nowhere", "--yes", "--json"]],
    ["dev", ["dev", "--source", "nowhere", "--json"]],
  ])("looks for the source of %s before it makes a data folder", async (_, args) => {
    const ended = await project.emb(args);
    expect({ exit: ended.code, code: failureOf(ended).code }).toEqual({ exit: 2, code: "EMB_SOURCE_MISSING" });
    expect(existsSync(join(project.dir, ".emb"))).toBe(false);
  });

  it("says that a database server cannot be reached, without its address's password", async () => {
    const ended = await project.emb(["status"], { DATABASE_URL: "postgres://u:hunter2@127.0.0.1:1/d" });
    expect(shown(ended, project)).toEqual({
      exit: 75,
      errors: ["EMB_STORE_UNAVAILABLE the database could not be reached: ECONNREFUSED"],
      actions: ["Check that the server of DATABASE_URL runs and can be reached, then run the same command again."],
      stack: false,
    });
    expect(`${ended.stdout}${ended.stderr}`).not.toContain("hunter2");
    expect(existsSync(join(project.dir, ".emb"))).toBe(false);
  });

  it.each([
    [
      "an address that is no PostgreSQL's, without saying it",
      "DATABASE_URL",
      "mysql://u:hunter2@h/d",
      "EMB_CONFIG_INVALID DATABASE_URL: expected an address that begins with postgres:// or postgresql://",
      "Correct DATABASE_URL.",
    ],
    [
      "an address that is none",
      "DATABASE_URL",
      "postgres//db",
      "EMB_CONFIG_INVALID DATABASE_URL: expected an address that begins with postgres:// or postgresql://",
      "Correct DATABASE_URL.",
    ],
    [
      "a store that this version lacks",
      "ENV",
      "qdrant",
      "EMB_CONFIG_INVALID store.kind is qdrant, and this version has only postgres",
      "Set store.kind: postgres in the environment's file.",
    ],
  ])("refuses %s", async (_, variable, value, error, hint) => {
    await project.write("config/qdrant.yaml", "embedding: { profile: one }\nstore: { kind: qdrant }\n");
    const ended = await project.emb(["status"], { [variable]: value });
    expect(shown(ended, project)).toEqual({ exit: 78, errors: [error], actions: [hint], stack: false });
    expect(`${ended.stdout}${ended.stderr}`).not.toContain("hunter2");
    expect(existsSync(join(project.dir, ".emb"))).toBe(false);
  });

  it("warns of an experiment that nothing needs", async () => {
    const { code, stdout, stderr } = await project.emb(["gate", "--json"], { EMBEDDING_PROFILE_EXPERIMENT: "two" });
    const { warnings, decision } = documentOf({ code, stdout, stderr }, Decision);
    expect({ code, decision, warnings }).toEqual({
      code: 0,
      decision: "baseline",
      warnings: [
        {
          code: "EMB_FLAG_WITHOUT_EFFECT",
          message: "EMBEDDING_PROFILE_EXPERIMENT=two has no effect: no override needs it",
        },
      ],
    });
    expect(stderr).toBe(
      "warning EMB_FLAG_WITHOUT_EFFECT EMBEDDING_PROFILE_EXPERIMENT=two has no effect: no override needs it\n",
    );
  });

  it.each([
    ["EMBEDDING_PROFILE_EXPERIMENT", "two", "experiment"],
    ["EMBEDDING_PROFILE_SWAPPABLE", "true", "swappable"],
  ])("permits an override by %s", async (variable, value, permittedBy) => {
    const ended = await project.emb(["gate", "--json"], {
      ENV: "Staging",
      EMBEDDINGS_PROFILE: "two",
      [variable]: value,
    });
    expect(documentOf(ended, Decision)).toMatchObject({
      environment: "staging",
      active: "two",
      permitted_by: permittedBy,
      warnings: [],
    });
    expect(ended.code).toBe(0);
  });

  it.each([
    [
      "a short name of an environment",
      { ENV: "prod" },
      "EMB_CONFIG_FILE_MISSING ./config/prod.yaml: environment prod has no file prod.yaml in ./config",
      "Did you mean ENV=production?",
    ],
    [
      "a misspelt one",
      { ENV: "stagign" },
      "EMB_CONFIG_FILE_MISSING ./config/stagign.yaml: environment stagign has no file stagign.yaml in ./config",
      "Did you mean ENV=staging?",
    ],
    [
      "NODE_ENV=production without ENV",
      { ENV: "", NODE_ENV: "production" },
      "EMB_ENV_UNSET ENV: must be set when NODE_ENV is set to anything other than development or test",
      "Set ENV to the environment's name, for example ENV=production.",
    ],
    [
      "a path as environment",
      { ENV: "../x" },
      "EMB_ENV_INVALID ENV: expected a letter, then letters, digits, _ or -",
      "Set ENV to the name of a file in the config folder without .yaml, for example ENV=production.",
    ],
    [
      "a boolean that is none",
      { EMBEDDING_STRICT_MODE: "perhaps" },
      "EMB_CONFIG_INVALID EMBEDDING_STRICT_MODE: expected true, false, 1, 0, yes, no, on or off",
      "Set EMBEDDING_STRICT_MODE=true or EMBEDDING_STRICT_MODE=false.",
    ],
    [
      "a misspelt variable",
      { EMBEDDING_PROFILE: "two" },
      "EMB_ENV_MISSPELT EMBEDDING_PROFILE: is not a variable of emb; it nearly spells EMBEDDINGS_PROFILE",
      "Rename it to EMBEDDINGS_PROFILE, or unset it.",
    ],
    [
      "a config folder that is not there",
      { EMB_CONFIG_DIR: "conf" },
      "EMB_CONFIG_DIR_MISSING EMB_CONFIG_DIR: there is no folder ./conf",
      "Correct the path or unset EMB_CONFIG_DIR.",
    ],
  ])("refuses %s", async (_, env, error, hint) => {
    expect(shown(await project.emb(["gate"], env), project)).toEqual({
      exit: 78,
      errors: [error],
      actions: [hint],
      stack: false,
    });
  });

  it("reports every configuration error at once", async () => {
    const { exit, errors, actions } = shown(
      await project.emb(["gate"], {
        ENV: "prod",
        EMBEDDING_PROFILE_SWAPPABLE: "2",
        EMBEDDING_NAMESPACE_MODE: "profil",
      }),
      project,
    );
    expect(exit).toBe(78);
    expect(errors.map((line) => line.split(" ")[0])).toEqual([
      "EMB_CONFIG_INVALID",
      "EMB_CONFIG_INVALID",
      "EMB_CONFIG_FILE_MISSING",
    ]);
    expect(actions).toHaveLength(3);
  });

  it("loads neither the log, nor telemetry, nor any other command", async () => {
    const loaded = async (...args: string[]) =>
      [...(await project.emb(args, { NODE_DEBUG: "esm,module" })).stderr.matchAll(/dist\/([\w-]+)\.c?js/g)].map(
        ([, file]) => file,
      );
    expect(new Set(await loaded("gate", "--json"))).toEqual(new Set(["emb"]));
    expect(await loaded("namespace", "docs", "--json")).toContain("namespace"); // it would be seen
  });
});

const Decision = z.object({
  environment: z.string(),
  active: z.string().nullable(),
  decision: z.string(),
  permitted_by: z.string().nullable(),
  code: z.string().nullable(),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
});
