import { isEmbError, type Problem } from "@emb/manifest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exampleManifest, exampleProject } from "./config-files-example.js";
import type { ConfigFiles } from "./config-folder.js";
import { gateAsk, loadSettings } from "./load-settings.js";
import type { Settings } from "./settings.js";
import type { Environment } from "./setting-variables.js";

const cwd = "/srv/app";
const load = (env: Environment, files: ConfigFiles = exampleProject()): Settings => loadSettings({ env, cwd, files });
const problemsOf = (env: Environment, files?: ConfigFiles): readonly Problem[] => {
  try {
    load(env, files);
  } catch (error) {
    if (isEmbError(error)) return error.problems;
    throw error;
  }
  return [];
};
const lines = (problems: readonly Problem[]) =>
  problems.map(
    ({ code, message, file, line, column }) =>
      `${code} ${file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}:${column}`} `}${message}`,
  );

describe("loadSettings", () => {
  it("needs nothing but a manifest and an environment's file", () => {
    const { manifest, active, ...rest } = load({});
    expect([...manifest.profiles.keys()]).toEqual(["a", "b"]);
    expect(active).toBe(manifest.profiles.get("a"));
    expect(rest).toEqual({
      environment: "development",
      open: true,
      baseline: "a",
      requested: null,
      swappable: false,
      experiment: null,
      gate: {
        kind: "baseline",
        environment: "development",
        baseline: "a",
        requested: null,
        profile: "a",
        reason: "environment development runs its baseline profile a: nothing else is requested",
      },
      namespaceMode: "profile",
      namespaceModeFrom: "default",
      strictMode: true,
      paths: {
        configDir: "/srv/app/config",
        environmentFile: "/srv/app/config/development.yaml",
        manifestFile: "/srv/app/config/embedding_profiles.yaml",
        dataDir: "/srv/app/.emb",
        modelsDir: null,
      },
      databaseUrl: null,
      qdrant: null,
      store: { kind: "postgres", baseNamespace: "docs", schema: "emb", queueSchema: "emb_boss" },
      query: { host: "127.0.0.1", port: 8080, topK: 10, maxTopK: 100, timeoutMs: 10_000 },
      ingest: {
        maxDocumentBytes: 10_485_760,
        chunkTokens: 200,
        commitRows: 500,
        shardDocuments: 5_000,
        leaseMs: 60_000,
        concurrency: 2,
        host: "127.0.0.1",
        port: 8081,
        stopMs: 20_000,
        watch: [],
      },
      verify: { maxDriftPct: 0, minRecall: 0.95, witnessMinCosine: 0.999, normTolerance: 0.001, sampleQueries: 20 },
      rollout: {
        queries: null,
        metric: "ndcg",
        k: 10,
        margin: 0.01,
        minEffect: null,
        alpha: 0.05,
        slice: null,
        minSliceQueries: 20,
        limits: {
          maxP50Ms: null,
          maxP95Ms: null,
          maxP99Ms: null,
          maxP95Ratio: null,
          maxErrorPct: null,
          maxUsdPer1000: null,
        },
        shadow: null,
        shadowReads: { keep: 10_000, keepDays: 14 },
        canary: null,
      },
      warnings: [],
    });
  });

  it("maps every key that a file may write", () => {
    const written = `
embedding: { profile: b, namespace_mode: version, strict_mode: false, service_url: "https://b.test", service_urls: { a: "https://a.test" } }
store: { kind: qdrant, base_namespace: news, schema: s, queue_schema: q }
query: { host: 0.0.0.0, port: 0, top_k: 3, max_top_k: 7, timeout_ms: 50 }
ingest: { max_document_bytes: 1, chunk_tokens: 2, commit_rows: 3, shard_documents: 4, lease_ms: 1000, concurrency: 5, host: "::", port: 6, stop_ms: 7, watch: [{ source: ../docs }, { source: "postgres://h/d", base: shop, table: t, poll_ms: 2000 }] }
verify: { max_drift_pct: 1, min_recall: 0.5, witness_min_cosine: 0.9, norm_tolerance: 0.1, sample_queries: 2 }
rollout:
  queries: eval/questions
  metric: recall
  k: 5
  margin: 0.02
  min_effect: 0.03
  alpha: 0.1
  slice: lang
  min_slice_queries: 30
  limits: { max_p50_ms: 1, max_p95_ms: 2, max_p99_ms: 3, max_p95_ratio: 1.5, max_error_pct: 4, max_usd_per_1000: 0.5 }
  shadow: { profile: a, sample_pct: 50, max_in_flight: 2, timeout_ms: 700 }
  shadow_reads: { keep: 0, keep_days: 0.5 }
  canary: { profile: a, pct: 1, max_error_pct: 2, max_latency_ratio: 3, min_overlap: 0.25 }
`;
    const settings = load({}, exampleProject({ "/srv/app/config/development.yaml": written }));
    expect(settings).toMatchObject({
      baseline: "b",
      namespaceMode: "version",
      namespaceModeFrom: "file",
      strictMode: false,
      store: { kind: "qdrant", baseNamespace: "news", schema: "s", queueSchema: "q" },
      query: { host: "0.0.0.0", port: 0, topK: 3, maxTopK: 7, timeoutMs: 50 },
      ingest: {
        maxDocumentBytes: 1,
        chunkTokens: 2,
        commitRows: 3,
        shardDocuments: 4,
        leaseMs: 1000,
        concurrency: 5,
        host: "::",
        port: 6,
        stopMs: 7,
        watch: [
          { source: "../docs", base: null, table: null, query: null, pollMs: 60_000 },
          { source: "postgres://h/d", base: "shop", table: "t", query: null, pollMs: 2000 },
        ],
      },
      verify: { maxDriftPct: 1, minRecall: 0.5, witnessMinCosine: 0.9, normTolerance: 0.1, sampleQueries: 2 },
      rollout: {
        queries: "/srv/app/eval/questions", // from the folder that holds config/
        metric: "recall",
        k: 5,
        margin: 0.02,
        minEffect: 0.03,
        alpha: 0.1,
        slice: "lang",
        minSliceQueries: 30,
        limits: { maxP50Ms: 1, maxP95Ms: 2, maxP99Ms: 3, maxP95Ratio: 1.5, maxErrorPct: 4, maxUsdPer1000: 0.5 },
        shadow: { profile: "a", samplePct: 50, maxInFlight: 2, timeoutMs: 700 },
        shadowReads: { keep: 0, keepDays: 0.5 },
        canary: { profile: "a", pct: 1, maxErrorPct: 2, maxLatencyRatio: 3, minOverlap: 0.25 },
      },
    });
    expect([...settings.manifest.profiles.values()].map(({ serviceUrl }) => serviceUrl)).toEqual([
      "https://a.test",
      "https://b.test",
    ]);
  });

  it.each([
    ["shadow", "shadow"],
    ["shadow:500", "shadow:500"],
    ["./shadow", "/srv/app/shadow"], // a folder of that name
    ["shadows", "/srv/app/shadows"],
    ["/data/shadow:5", "/data/shadow:5"],
  ])("takes rollout.queries: %s for %s", (written, queries) => {
    const file = { "/srv/app/config/development.yaml": `rollout: { queries: "${written}" }\n` };
    expect(load({}, exampleProject(file)).rollout.queries).toBe(queries);
  });

  it("takes every variable, trimmed", () => {
    const settings = load({
      ENV: " PRODUCTION ",
      NODE_ENV: "production",
      EMB_CONFIG_DIR: " config ",
      EMBEDDING_PROFILES_PATH: "config/embedding_profiles.yaml",
      EMBEDDINGS_PROFILE: " b ",
      EMBEDDING_PROFILE_SWAPPABLE: " Yes ",
      EMBEDDING_NAMESPACE_MODE: " Model ",
      EMBEDDING_STRICT_MODE: "OFF",
      DATABASE_URL: " postgres://u:p@db/x ",
      EMB_DATA_DIR: "data",
      EMB_MODELS_DIR: "/models",
      QDRANT_URL: "http://q:6333",
      QDRANT_API_KEY: " k ",
    });
    expect(settings).toMatchObject({
      environment: "production",
      open: false,
      requested: "b",
      swappable: true,
      gate: { kind: "override", profile: "b", permittedBy: "swappable" },
      active: { name: "b" },
      namespaceMode: "model",
      namespaceModeFrom: "variable",
      strictMode: false,
      paths: { dataDir: "/srv/app/data", modelsDir: "/models" },
      databaseUrl: "postgres://u:p@db/x",
      qdrant: { url: "http://q:6333", apiKey: "k" },
      warnings: [],
    });
  });

  it("counts blank variables as unset", () => {
    const blank = {
      ENV: " ",
      NODE_ENV: "",
      EMBEDDINGS_PROFILE: "",
      EMBEDDING_PROFILE_SWAPPABLE: "  ",
      EMBEDDING_NAMESPACE_MODE: "",
      DATABASE_URL: "\t",
    };
    expect(load(blank)).toEqual(load({}));
  });

  it("answers a refused gate instead of throwing", () => {
    const settings = load({ ENV: "production", EMBEDDINGS_PROFILE: "b" });
    expect([settings.gate.kind, settings.active]).toEqual(["refused", null]);
  });

  it("lets a canary's experiment change nothing else", () => {
    const files = exampleProject({
      "/srv/app/config/production.yaml": "embedding: { profile: a }\nrollout: { canary: { profile: b } }\n",
    });
    const settings = load({ ENV: "production", EMBEDDING_PROFILE_EXPERIMENT: "b" }, files);
    expect([settings.gate.kind, settings.active?.name, settings.warnings]).toEqual(["baseline", "a", []]);
    expect(gateAsk(settings, "b")).toMatchObject({ kind: "override", profile: "b", permittedBy: "experiment" });
    expect(gateAsk(settings, "a")).toMatchObject({ kind: "baseline" });
    expect(gateAsk(load({ ENV: "production" }, files), "b")).toMatchObject({
      kind: "refused",
      code: "EMB_PROFILE_OVERRIDE_REFUSED",
    });
  });

  it.each([
    [
      "a canary that the gate refuses",
      "canary: { profile: b }",
      {},
      [
        "EMB_PROFILE_OVERRIDE_REFUSED /srv/app/config/production.yaml environment production has the baseline profile a and does not permit the requested profile b; EMBEDDING_PROFILE_EXPERIMENT=b or EMBEDDING_PROFILE_SWAPPABLE=true would permit it",
      ],
    ],
    [
      "a shadow of a profile that nobody knows",
      "shadow: { profile: bb }",
      {},
      [
        'EMB_PROFILE_UNKNOWN /srv/app/config/production.yaml the requested profile "bb" of environment production is not in the manifest',
      ],
    ],
    [
      "both, and an experiment that permits neither",
      "canary: { profile: b }, shadow: { profile: bb }",
      { EMBEDDING_PROFILE_EXPERIMENT: "c" },
      [
        "EMB_FLAG_WITHOUT_EFFECT EMBEDDING_PROFILE_EXPERIMENT=c has no effect: no override needs it",
        "EMB_PROFILE_OVERRIDE_REFUSED /srv/app/config/production.yaml environment production has the baseline profile a and does not permit the requested profile b; EMBEDDING_PROFILE_EXPERIMENT=b or EMBEDDING_PROFILE_SWAPPABLE=true would permit it",
        'EMB_PROFILE_UNKNOWN /srv/app/config/production.yaml the requested profile "bb" of environment production is not in the manifest',
      ],
    ],
    ["nothing of a permitted canary", "canary: { profile: b }", { EMBEDDING_PROFILE_EXPERIMENT: "b" }, []],
  ])("warns of %s, and the active profile runs all the same", (_, rollout, env, warnings) => {
    const files = exampleProject({
      "/srv/app/config/production.yaml": `embedding: { profile: a }\nrollout: { ${rollout} }\n`,
    });
    const settings = load({ ENV: "production", ...env }, files);
    expect(settings.active?.name).toBe("a");
    expect(lines(settings.warnings)).toEqual(warnings);
    expect(settings.warnings.every(({ hint }) => hint !== "")).toBe(true);
  });

  it("takes the manifest's baseline when the file names none", () => {
    const files = exampleProject({
      "/srv/app/config/development.yaml": "query: { port: 1 }\n",
      "/srv/app/config/embedding_profiles.yaml": `default: b\n${exampleManifest("a", "b")}`,
    });
    expect(load({}, files).baseline).toBe("b");
  });

  it.each([
    [{}, "development", "development.yaml"],
    [{ NODE_ENV: "test" }, "development", "development.yaml"],
    [{ NODE_ENV: "Development" }, "development", "development.yaml"],
    [{ ENV: "dev" }, "dev", "development.yaml"],
    [{ ENV: "DEV" }, "dev", "development.yaml"],
    [{ ENV: "production", NODE_ENV: "production" }, "production", "production.yaml"],
  ])("%j runs environment %s of file %s", (env, environment, file) => {
    const settings = load(env);
    expect([settings.environment, settings.paths.environmentFile]).toEqual([environment, `/srv/app/config/${file}`]);
  });

  it("prefers dev.yaml to development.yaml where both exist", () => {
    const files = exampleProject({ "/srv/app/config/dev.yaml": "embedding: { profile: b }\n" });
    expect(load({ ENV: "dev" }, files).baseline).toBe("b");
  });

  it("finds the nearest config folder with a manifest", () => {
    const files = exampleProject({ "/srv/app/packages/x/config/other.yaml": "a: 1\n" });
    expect(loadSettings({ env: {}, cwd: "/srv/app/packages/x/src", files }).paths.configDir).toBe("/srv/app/config");
  });

  const missing = "EMB_CONFIG_FILE_MISSING /srv/app/config";
  it.each<[string, Environment, string[]]>([
    [
      "NODE_ENV without ENV",
      { NODE_ENV: "production" },
      ["EMB_ENV_UNSET ENV: must be set when NODE_ENV is set to anything other than development or test"],
    ],
    ["a path for ENV", { ENV: "../x" }, ["EMB_ENV_INVALID ENV: expected a letter, then letters, digits, _ or -"]],
    ["a space in ENV", { ENV: "pro d" }, ["EMB_ENV_INVALID ENV: expected a letter, then letters, digits, _ or -"]],
    [
      "a missing file",
      { ENV: "prod" },
      [`${missing}/prod.yaml environment prod has no file prod.yaml in /srv/app/config`],
    ],
    [
      "a boolean that is none",
      { EMBEDDING_STRICT_MODE: "maybe" },
      ["EMB_CONFIG_INVALID EMBEDDING_STRICT_MODE: expected true, false, 1, 0, yes, no, on or off"],
    ],
    [
      "a mode that is none",
      { EMBEDDING_NAMESPACE_MODE: "modell" },
      ["EMB_CONFIG_INVALID EMBEDDING_NAMESPACE_MODE: expected one of none, profile, version, model"],
    ],
    [
      "a database that is no PostgreSQL",
      { DATABASE_URL: "mysql://u:hunter2@h/d" },
      ["EMB_CONFIG_INVALID DATABASE_URL: expected an address that begins with postgres:// or postgresql://"],
    ],
    [
      "a wrong folder",
      { EMB_CONFIG_DIR: "conf" },
      ["EMB_CONFIG_DIR_MISSING EMB_CONFIG_DIR: there is no folder /srv/app/conf"],
    ],
    [
      "a wrong manifest",
      { EMBEDDING_PROFILES_PATH: "m.yaml" },
      ["EMB_CONFIG_FILE_MISSING /srv/app/m.yaml there is no manifest /srv/app/m.yaml"],
    ],
    [
      "a misspelt variable in a guarded environment",
      { ENV: "production", EMBEDDING_PROFILE: "b" },
      ["EMB_ENV_MISSPELT EMBEDDING_PROFILE: is not a variable of emb; it nearly spells EMBEDDINGS_PROFILE"],
    ],
    [
      "several at once",
      { ENV: "prod", EMBEDDING_PROFILE_SWAPPABLE: "2", EMB_DATE_DIR: "x" },
      [
        "EMB_CONFIG_INVALID EMBEDDING_PROFILE_SWAPPABLE: expected true, false, 1, 0, yes, no, on or off",
        "EMB_ENV_MISSPELT EMB_DATE_DIR: is not a variable of emb; it nearly spells EMB_DATA_DIR",
        `${missing}/prod.yaml environment prod has no file prod.yaml in /srv/app/config`,
      ],
    ],
  ])("reports %s", (_, env, expected) => {
    expect(lines(problemsOf(env))).toEqual(expected);
  });

  it.each<[string, Record<string, string | Uint8Array>, string[]]>([
    [
      "an unknown key",
      { "/srv/app/config/development.yaml": "embeding: { profile: a }\n" },
      ['EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:1 unknown key "embeding"'],
    ],
    [
      "a port that is none",
      { "/srv/app/config/development.yaml": "query: { port: 65536 }\n" },
      ["EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:16 query.port: expected at most 65535, got 65536"],
    ],
    [
      "a metric that is none, and a limit that nobody knows",
      { "/srv/app/config/development.yaml": "rollout: { metric: bleu, limits: { max_p95: 3 } }\n" },
      [
        'EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:20 rollout.metric: expected one of ndcg, ndcg_exp, recall, precision, mrr, map, success, got "bleu"',
        'EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:36 rollout.limits: unknown key "max_p95"',
      ],
    ],
    [
      "recorded queries of no number",
      { "/srv/app/config/development.yaml": "rollout: { queries: 'shadow:0' }\n" },
      [
        "EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:21 rollout.queries: expected shadow:N with a whole number from 1 on",
      ],
    ],
    [
      "an empty file",
      { "/srv/app/config/development.yaml": "" },
      ["EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:1 the file is empty"],
    ],
    [
      "an address without its profile",
      { "/srv/app/config/development.yaml": "embedding: { service_url: http://x }\n" },
      [
        "EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:27 embedding.service_url: service_url needs profile beside it",
      ],
    ],
    [
      "watched sources with too much and too little beside them",
      {
        "/srv/app/config/development.yaml":
          "ingest: { watch: [{ source: docs, table: t }, { source: postgresql://h/d }, { source: 'postgres:x', table: t, query: q }] }\n",
      },
      ["1:29", "1:57", "1:87"].map(
        (place, i) =>
          `EMB_CONFIG_INVALID /srv/app/config/development.yaml:${place} ingest.watch.${i}.source: a PostgreSQL source needs table or query beside it, and no other source has one`,
      ),
    ],
    [
      "bytes that are not UTF-8",
      { "/srv/app/config/development.yaml": Uint8Array.of(0x61, 0xff) },
      ["EMB_CONFIG_FILE_UNREADABLE /srv/app/config/development.yaml the file is not valid UTF-8"],
    ],
    [
      "both files at once",
      {
        "/srv/app/config/development.yaml": "store: { kind: mysql }\n",
        "/srv/app/config/embedding_profiles.yaml": "profiles: {}\n",
      },
      [
        'EMB_CONFIG_INVALID /srv/app/config/development.yaml:1:16 store.kind: expected one of postgres, qdrant, got "mysql"',
        "EMB_MANIFEST_INVALID /srv/app/config/embedding_profiles.yaml:1:1 profiles: expected at least one profile",
      ],
    ],
  ])("reports %s in a file", (_, more, expected) => {
    expect(lines(problemsOf({}, exampleProject(more)))).toEqual(expected);
  });

  it("makes one error of all, with the first one's code", () => {
    try {
      load({ ENV: "prod", EMBEDDING_STRICT_MODE: "2" });
      expect.unreachable();
    } catch (error) {
      if (!isEmbError(error)) throw error;
      expect([error.code, error.exitCode]).toEqual(["EMB_CONFIG_INVALID", 78]);
      expect(error.message).toBe("EMBEDDING_STRICT_MODE: expected true, false, 1, 0, yes, no, on or off (and 1 more)");
      expect(error.problems.map(({ hint }) => hint)).toEqual([
        "Set EMBEDDING_STRICT_MODE=true or EMBEDDING_STRICT_MODE=false.",
        "Did you mean ENV=production?",
      ]);
    }
  });

  it("never repeats a secret", () => {
    const env = {
      ENV: "..",
      DATABASE_URL: "hunter2",
      QDRANT_URL: "x://u:hunter2@h",
      QDRANT_API_KEY: "hunter2",
      EMBEDDING_STRICT_MODE: "hunter2",
      EMBEDDING_NAMESPACE_MODE: "hunter2",
      EMB_DATA_DIRR: "hunter2",
    };
    const problems = problemsOf(env);
    expect(problems.length).toBe(6);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  it("warns in open environments and goes on", () => {
    const { warnings } = load({ EMBEDDING_PROFILE: "b", EMBEDDING_PROFILE_SWAPPABLE: "true" });
    expect(warnings.map(({ code, variable, hint }) => ({ code, variable, hint }))).toEqual([
      {
        code: "EMB_ENV_MISSPELT",
        variable: "EMBEDDING_PROFILE",
        hint: "Rename it to EMBEDDINGS_PROFILE, or unset it.",
      },
      {
        code: "EMB_FLAG_WITHOUT_EFFECT",
        variable: "EMBEDDING_PROFILE_SWAPPABLE",
        hint: "Unset EMBEDDING_PROFILE_SWAPPABLE.",
      },
    ]);
  });

  it.each([
    ["nothing asks", undefined, ["EMB_FLAG_WITHOUT_EFFECT"]],
    ["the command asks for the profile it permits", ["b"], []],
    ["the command asks for the baseline", ["a"], ["EMB_FLAG_WITHOUT_EFFECT"]],
  ])("warns of an experiment without effect, or not: %s", (_, asks, expected) => {
    const env = { ENV: "production", EMBEDDING_PROFILE_EXPERIMENT: "b" };
    const { warnings } = loadSettings({ env, cwd, files: exampleProject(), ...(asks === undefined ? {} : { asks }) });
    expect(warnings.map(({ code }) => code)).toEqual(expected);
  });

  it("does not depend on unrelated variables", () => {
    const unrelated = fc.dictionary(fc.stringMatching(/^(A|PATH|HOME|X_)[A-Z_]{0,10}$/), fc.string());
    const env = { ENV: "production", EMBEDDINGS_PROFILE: "b", EMBEDDING_PROFILE_EXPERIMENT: "b" };
    const expected = load(env).gate;
    fc.assert(
      fc.property(unrelated, (more) => {
        expect(load({ ...more, ...env }).gate).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});
