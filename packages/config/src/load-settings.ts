import { dirname, join, resolve } from "node:path";
import { EmbError, parseManifest, readYaml, type Manifest, type Problem } from "@emb/manifest";
import {
  diskFiles,
  environmentFilePath,
  findConfigFolder,
  missingEnvironmentFile,
  readText,
  type ConfigFiles,
} from "./config-folder.js";
import { DEFAULTS, MANIFEST_FILE } from "./defaults.js";
import { EnvironmentFile } from "./environment-file.js";
import { readEnvironmentName } from "./environment-name.js";
import { decideGate, flagsWithoutEffect, isOpenEnvironment, type GateDecision } from "./override-gate.js";
import { camelRollout } from "./rollout-settings.js";
import type { Settings } from "./settings.js";
import { misspeltVariables, readVariables, type Environment, type Variables } from "./setting-variables.js";

export interface LoadSettingsInput {
  readonly env: Environment;
  /** Absolute path: relative paths start here, and the search for config/ goes up from here. */
  readonly cwd: string;
  /** Default: the disk. */
  readonly files?: ConfigFiles;
  /** Profiles that this process asks the gate for beside the configured ones (`--to`, `--profile`): a flag that permits one has an effect. */
  readonly asks?: readonly string[];
}

/**
 * Reads the environment and the config files. A refused gate is part of the answer (`gate`, `active` null), not an error.
 * @throws EmbError with every configuration error at once in `problems`; its code and hint are the first one's
 */
export function loadSettings({ env, cwd, files = diskFiles, asks = [] }: LoadSettingsInput): Settings {
  const problems: Problem[] = [];
  const variables = readVariables(env, problems);
  const environment = readEnvironmentName(env, problems);
  const misspelt = misspeltVariables(env);
  const open = environment !== null && isOpenEnvironment(environment);
  if (!open) problems.push(...misspelt);

  const folder = findConfigFolder(files, cwd, variables.configDir, problems);
  const file =
    folder === null || environment === null ? null : readEnvironmentFile(files, folder, environment, problems);
  const manifest = readManifest(files, cwd, folder, variables, file?.written ?? null, problems);
  if (problems.length > 0 || environment === null || folder === null || file === null || manifest === null) {
    throw configurationError(problems);
  }
  const settings = assemble({ environment, open, variables, folder, cwd, file, manifest, asks });
  return { ...settings, warnings: [...(open ? misspelt : []), ...manifest.warnings, ...settings.warnings] };
}

/** Every problem as one error; the caller prints `problems` line by line. */
export function configurationError(problems: readonly Problem[]): EmbError {
  const [first] = problems;
  if (first === undefined)
    throw new EmbError("EMB_INTERNAL", "no problem to report", { hint: "Report this as a bug." });
  const place =
    first.file === undefined
      ? ""
      : `${first.file}${first.line === undefined ? "" : `:${first.line}:${first.column ?? 1}`}: `;
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
  return new EmbError(first.code, `${place}${first.message}${more}`, { hint: first.hint, problems });
}

interface ReadEnvironmentFile {
  readonly path: string;
  readonly written: EnvironmentFile;
}

function readEnvironmentFile(
  files: ConfigFiles,
  folder: string,
  environment: string,
  problems: Problem[],
): ReadEnvironmentFile | null {
  const path = environmentFilePath(files, folder, environment);
  const text = readText(files, path, () => missingEnvironmentFile(files, folder, environment), problems);
  if (text === null) return null;
  const reading = readYaml(text, { file: path, schema: EnvironmentFile, invalid: "EMB_CONFIG_INVALID" });
  problems.push(...reading.problems);
  return reading.value === null ? null : { path, written: reading.value };
}

interface ReadManifest {
  readonly path: string;
  readonly manifest: Manifest;
  readonly warnings: readonly Problem[];
}

function readManifest(
  files: ConfigFiles,
  cwd: string,
  folder: string | null,
  variables: Variables,
  written: EnvironmentFile | null,
  problems: Problem[],
): ReadManifest | null {
  const { profilesPath } = variables;
  if (profilesPath === undefined && folder === null) return null; // the missing folder is reported already
  const path = profilesPath === undefined ? join(folder ?? cwd, MANIFEST_FILE) : resolve(cwd, profilesPath);
  const text = readText(files, path, () => missingManifest(path, profilesPath !== undefined), problems);
  if (text === null) return null;
  const reading = parseManifest(text, {
    file: path,
    serviceUrls: serviceUrls(written),
    namespaceMode: namespaceMode(variables, written).mode,
  });
  if (!reading.ok) {
    problems.push(...reading.problems);
    return null;
  }
  return { path, manifest: reading.manifest, warnings: reading.warnings };
}

const missingManifest = (path: string, named: boolean): Problem => ({
  code: "EMB_CONFIG_FILE_MISSING",
  message: `there is no manifest ${path}`,
  hint: named
    ? "Correct EMBEDDING_PROFILES_PATH or unset it."
    : `Write ${MANIFEST_FILE}, or set EMBEDDING_PROFILES_PATH.`,
  file: path,
  ...(named ? { variable: "EMBEDDING_PROFILES_PATH" } : {}),
});

function serviceUrls(written: EnvironmentFile | null): Record<string, string> {
  if (written === null) return {};
  const { profile, service_url, service_urls } = written.embedding;
  return profile === undefined || service_url === undefined
    ? service_urls
    : { ...service_urls, [profile]: service_url };
}

function namespaceMode(variables: Variables, written: EnvironmentFile | null) {
  if (variables.namespaceMode !== undefined) return { mode: variables.namespaceMode, from: "variable" } as const;
  const inFile = written?.embedding.namespace_mode;
  if (inFile !== undefined) return { mode: inFile, from: "file" } as const;
  return { mode: DEFAULTS.embedding.namespaceMode, from: "default" } as const;
}

function assemble(input: {
  environment: string;
  open: boolean;
  variables: Variables;
  folder: string;
  cwd: string;
  file: ReadEnvironmentFile;
  manifest: ReadManifest;
  asks: readonly string[];
}): Settings {
  const { environment, open, variables, folder, cwd, file, asks } = input;
  const { manifest, path: manifestFile } = input.manifest;
  const { embedding, rollout, ...sections } = file.written;
  const baseline = embedding.profile ?? manifest.baseline;
  const { swappable, experiment } = variables;
  const ask = (requested: string | undefined): GateDecision =>
    decideGate({ environment, baseline, requested, swappable, experiment, known: manifest.profiles.keys() });
  const gate = ask(variables.requested);
  const rolloutUses = [rollout.canary?.profile, rollout.shadow?.profile].map(ask);
  const uses = [gate, ...rolloutUses, ...asks.map(ask)];
  const { mode, from } = namespaceMode(variables, file.written);
  return {
    environment,
    open,
    baseline,
    requested: variables.requested ?? null,
    swappable,
    experiment: experiment ?? null,
    gate,
    active: gate.kind === "refused" ? null : (manifest.profiles.get(gate.profile) ?? null),
    manifest,
    namespaceMode: mode,
    namespaceModeFrom: from,
    strictMode: variables.strictMode ?? embedding.strict_mode ?? DEFAULTS.embedding.strictMode,
    paths: {
      configDir: folder,
      environmentFile: file.path,
      manifestFile,
      dataDir: variables.dataDir === undefined ? join(dirname(folder), ".emb") : resolve(cwd, variables.dataDir),
      modelsDir: variables.modelsDir === undefined ? null : resolve(cwd, variables.modelsDir),
    },
    databaseUrl: variables.databaseUrl ?? null,
    qdrant:
      variables.qdrantUrl === undefined ? null : { url: variables.qdrantUrl, apiKey: variables.qdrantApiKey ?? null },
    ...camelSections(sections),
    rollout: camelRollout(rollout, dirname(folder)),
    warnings: [
      ...flagsWithoutEffect(uses, { swappable, experiment }).map((flag): Problem => ({
        code: "EMB_FLAG_WITHOUT_EFFECT",
        ...flag,
        hint: `Unset ${flag.variable}.`,
      })),
      // A canary or shadow that may not run stops nothing else, and is not to be dropped in silence.
      ...rolloutUses.flatMap((use): Problem[] =>
        use.kind === "refused" ? [{ code: use.code, message: use.reason, hint: use.hint, file: file.path }] : [],
      ),
    ],
  };
}

function camelSections({
  store,
  query,
  ingest,
  verify,
}: Pick<EnvironmentFile, "store" | "query" | "ingest" | "verify">) {
  return {
    store: {
      kind: store.kind,
      baseNamespace: store.base_namespace,
      schema: store.schema,
      queueSchema: store.queue_schema,
    },
    query: {
      host: query.host,
      port: query.port,
      topK: query.top_k,
      maxTopK: query.max_top_k,
      timeoutMs: query.timeout_ms,
    },
    ingest: {
      maxDocumentBytes: ingest.max_document_bytes,
      chunkTokens: ingest.chunk_tokens,
      commitRows: ingest.commit_rows,
      shardDocuments: ingest.shard_documents,
      leaseMs: ingest.lease_ms,
      concurrency: ingest.concurrency,
      host: ingest.host,
      port: ingest.port,
      stopMs: ingest.stop_ms,
      watch: ingest.watch.map(({ source, base = null, table = null, query: sql = null, poll_ms: pollMs }) => ({
        source,
        base,
        table,
        query: sql,
        pollMs,
      })),
    },
    verify: {
      maxDriftPct: verify.max_drift_pct,
      minRecall: verify.min_recall,
      witnessMinCosine: verify.witness_min_cosine,
      normTolerance: verify.norm_tolerance,
      sampleQueries: verify.sample_queries,
    },
  } satisfies Partial<Settings>;
}

/** The gate's answer for a use beside the active profile: a canary, a shadow, the target of `--to` or `--profile`. */
export const gateAsk = (settings: Settings, requested: string): GateDecision =>
  decideGate({
    environment: settings.environment,
    baseline: settings.baseline,
    requested,
    swappable: settings.swappable,
    experiment: settings.experiment ?? undefined,
    known: settings.manifest.profiles.keys(),
  });
