import { Command as Commander, CommanderError } from "commander";
import type { AdoptOptions } from "./commands/adopt.js";
import type { PlanOptions } from "./commands/plan.js";
import type { CompareOptions } from "./commands/compare.js";
import type { EvalOptions } from "./commands/eval.js";
import type { DeleteOptions } from "./commands/delete.js";
import type { PutOptions } from "./commands/put.js";
import type { ReingestOptions } from "./commands/reingest.js";
import type { RolloutCheckOptions } from "./commands/rollout-check.js";
import type { RolloutLockInOptions } from "./commands/rollout-lock-in.js";
import type { RunsOptions } from "./commands/runs.js";
import type { Output } from "./output.js";
import type { Command, Session } from "./session.js";

/** What the program needs of its process; a session is made for each command. */
export interface ProgramHost {
  readonly version: string;
  readonly createOutput: (json: boolean) => Output;
  readonly createSession: (output: Output) => Session;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

interface Common {
  readonly json: boolean;
  readonly verbose: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/**
 * The command line, word by word. Each command's code is loaded when it runs, so that `--help` and `gate` stay quick.
 * @returns a function that runs one command line (without node and script) and gives the exit code
 */
export function createProgram(host: ProgramHost): (argv: readonly string[]) => Promise<number> {
  let exitCode = 0;
  let failedIn = "emb";
  /** The parser's own words are not written: they have no code and no action, and --json wants a document. */
  const streams = { writeOut: host.writeOut, writeErr: host.writeErr, outputError: () => {} };
  const failIn = (command: string) => (error: Error) => {
    failedIn = command;
    throw error;
  };

  /** Runs a command with its session, and reports its error. */
  const run = async <Options extends object>(
    load: () => Promise<Command<Options>>,
    options: Options & Common,
  ): Promise<void> => {
    const output = host.createOutput(options.json);
    const session = host.createSession(output);
    try {
      exitCode = await (await load())(session, options);
    } catch (error) {
      const { reportError } = await import("./gate-entry.js");
      exitCode = reportError(output, error, { verbose: options.verbose, interrupted: session.signal.aborted });
    }
  };

  const leaf = (parent: Commander, usage: string, summary: string, examples: readonly string[]): Commander =>
    parent
      .command(usage)
      .description(summary)
      .option("--json", "one JSON document on stdout", false)
      .option("--verbose", "stack traces of errors", false)
      .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}\n`)
      .exitOverride(
        failIn([...(parent.parent === null ? ["emb"] : ["emb", parent.name()]), usage.split(" ")[0]].join(" ")),
      )
      .configureOutput(streams);

  const program = new Commander("emb")
    .description("Change the embedding model behind a search system as safely as a database migration.")
    .version(host.version)
    .enablePositionalOptions() // behind a command, --version is that command's
    .exitOverride()
    .configureOutput(streams)
    .addHelpText(
      "after",
      `
Examples:
  $ emb quickstart                                  watch a swap happen, from refusal to rollback
  $ emb gate                                        which profile would run here, and why
  $ emb reingest --to st_minilm --source ./docs --yes
  $ emb search "how do I get a refund" --profile st_minilm

Exit codes: 0 ok, 1 negative or not ready, 2 wrong usage, 3 inconclusive, 75 try again later, 78 configuration or gate, 130 interrupted`,
    );

  leaf(program, "gate", "decide which profile may run here", [
    "emb gate --json",
    "ENV=staging EMBEDDINGS_PROFILE=bge_m3 emb gate",
  ]).action((options: Common) => run(async () => (await import("./gate-entry.js")).gate, options));

  const group = (name: string, summary: string) =>
    program
      .command(name)
      .description(summary)
      .exitOverride(failIn(`emb ${name}`))
      .configureOutput(streams);

  const manifest = group("manifest", "check the manifest, compare two profiles");
  leaf(manifest, "validate", "check the manifest and the environment's file, every error at once", [
    "emb manifest validate",
  ]).action((options: Common) => run(async () => (await import("./commands/manifest.js")).validateManifest, options));
  leaf(manifest, "compat <a> <b>", "say whether vectors of profile A can serve profile B", [
    "emb manifest compat st_minilm_fp32 st_minilm --prove",
  ])
    .option("--prove", "embed the probe texts with both models and compare", false)
    .action((a: string, b: string, options: Common & { prove: boolean }) =>
      run(async () => (await import("./commands/manifest.js")).compareProfiles, { ...options, a, b }),
    );

  leaf(program, "namespace <base>", "print the namespace of a base for a profile", [
    "emb namespace docs --profile st_minilm --mode version",
  ])
    .option("--profile <name>", "default: the active profile")
    .option("--mode <mode>", "none, profile, version or model; default: the environment's")
    .action((base: string, options: Common & { profile?: string; mode?: string }) =>
      run(async () => (await import("./commands/namespace.js")).namespace, { ...options, base }),
    );

  const verify = group("verify", "check providers, check a namespace");
  leaf(verify, "providers", "print the profile matrix: model, dims, tokenizer, capabilities, missing requirements", [
    "emb verify providers --json",
    "emb verify providers --live",
  ])
    .option("--live", "embed one short text with each profile whose requirements are met", false)
    .action((options: Common & { live: boolean }) =>
      run(async () => (await import("./commands/verify-providers.js")).verifyProviders, options),
    );
  leaf(verify, "namespace", "read a namespace back and compare it with the system of record", [
    "emb verify namespace --profile st_minilm",
  ])
    .option("--profile <name>", "default: the active profile")
    .option("--base <name>", "default: store.base_namespace")
    .action((options: Common & { profile?: string; base?: string }) =>
      run(async () => (await import("./commands/verify-namespace.js")).verifyNamespaceCommand, options),
    );

  /** A command that reads documents from somewhere. */
  const reads = (command: Commander): Commander =>
    command
      .requiredOption(
        "--source <source>",
        "a folder of .md, .markdown and .txt files, a .jsonl file, postgres://USER@HOST/DATABASE, or stored: the documents taken in before",
      )
      .option(
        "--table <name>",
        "of a PostgreSQL source: columns id and text, perhaps title, metadata, updated_at; others are metadata",
      )
      .option("--query <sql>", "of a PostgreSQL source: a SELECT with those columns")
      .option("--scope <filter>", "only documents of path:GLOB or metadata:KEY=VALUE; may be repeated", collect)
      .option("--limit <n>", "only the first so many documents");

  reads(
    leaf(program, "plan", "what a re-ingest would do and take: documents, tokens, price, time, bytes", [
      "emb plan --to st_minilm --source ./docs",
      "emb plan --to jina_v3 --source corpus.jsonl --json",
    ]).requiredOption("--to <profile>", "target profile"),
  )
    .option("--base <name>", "default: store.base_namespace")
    .action((options: Common & PlanOptions) =>
      run(async () => (await import("./commands/plan.js")).planCommand, options),
    );

  reads(
    leaf(program, "reingest", "fill the namespace of a profile beside the old one", [
      "emb reingest --to st_minilm --source ./docs --yes",
      "EMBEDDING_PROFILE_EXPERIMENT=st_minilm emb reingest --to st_minilm --source corpus.jsonl --base articles --yes",
      "emb reingest --to jina_v3 --source stored --yes",
      "emb reingest --to jina_v3 --source stored --workers queue --yes",
      "emb reingest --to st_minilm --source postgres://app@db/shop --table articles --scope metadata:lang=de --limit 500 --yes",
    ]).requiredOption("--to <profile>", "target profile"),
  )
    .option("--base <name>", "default: store.base_namespace")
    .option("--dry-run", "say what it would do and take, as emb plan does, and stop", false)
    .option("--max-cost-usd <amount>", "stop before the run, from its start on, costs more")
    .option("--accept-failures <n>", "be ready with up to so many texts set aside; recorded in the audit log")
    .option("--workers <who>", "local: only this process fills; queue: only emb-ingest-worker processes; default: all")
    .option("--yes", "do not ask", false)
    .action((options: Common & ReingestOptions) =>
      run(async () => (await import("./commands/reingest.js")).reingestCommand, options),
    );

  leaf(program, "runs [verb] [id]", "list runs with what they spent; pause, resume, abort or retry one", [
    "emb runs",
    "emb runs pause 2b6f...",
    "emb runs resume 2b6f... --max-cost-usd 20",
    "emb runs abort 2b6f... --yes",
  ])
    .addHelpText(
      "after",
      `
Verbs:
  pause    stop a run cleanly, in whatever process it is filled; embedded databases have one process: press Ctrl-C there
  resume   go on with a paused run, or one whose process died, here
  abort    end it for good and drop what it filled; a namespace that was ready before is kept
  retry    embed again what the provider refused in an ended run`,
    )
    .option("--base <name>", "list the runs of this base only")
    .option("--max-cost-usd <amount>", "resume, retry: the most that the run may cost, from its start on")
    .option(
      "--accept-failures <n>",
      "resume, retry: be ready with up to so many texts set aside; recorded in the audit log",
    )
    .option("--workers <who>", "resume, retry: local or queue, as in emb reingest")
    .option("--yes", "abort: do not ask", false)
    .action((verb: string | undefined, id: string | undefined, options: Common & RunsOptions) =>
      run(async () => (await import("./commands/runs.js")).runs, {
        ...options,
        ...(verb !== undefined && { verb }),
        ...(id !== undefined && { id }),
      }),
    );

  leaf(program, "put <file>", "store one document, and show it in every namespace of its base", [
    "emb put ./refunds.md --id handbook/refunds.md",
    'echo "Open on Sundays" | emb put - --id opening-hours --version 7 --json',
  ])
    .requiredOption("--id <id>", "the document's id, stable across versions")
    .option(
      "--version <n>",
      "your own version of it; an older one is never shown over a newer one; default: one is drawn",
    )
    .option("--title <text>", "default: of Markdown, its front matter's or first heading")
    .option("--metadata <json>", "a JSON object")
    .option("--format <name>", "markdown or text; default: by the file's name")
    .option("--base <name>", "default: store.base_namespace")
    .action((file: string, options: Common & Omit<PutOptions, "file">) =>
      run(async () => (await import("./commands/put.js")).put, { ...options, file }),
    );

  leaf(program, "delete <id>", "delete one document, from every namespace of its base", [
    "emb delete handbook/refunds.md",
    "emb delete customer-4711 --erase --json",
  ])
    .option("--version <n>", "your own version of the deletion; default: one is drawn")
    .option("--base <name>", "default: store.base_namespace")
    .option("--erase", "leave nothing of its text or vectors in any table, also if it was deleted before", false)
    .action((id: string, options: Common & Omit<DeleteOptions, "id">) =>
      run(async () => (await import("./commands/delete.js")).deleteCommand, { ...options, id }),
    );

  leaf(program, "search <text>", "ask one question", [
    'emb search "what does a refund cost" --top-k 3',
    'emb search "refund" --profile st_minilm --json',
  ])
    .option("--profile <name>", "as if EMBEDDINGS_PROFILE were this: the gate decides")
    .option("--base <name>", "default: store.base_namespace")
    .option("--top-k <n>", "results; default: query.top_k")
    .option("--exact", "scan every vector instead of the index", false)
    .action((text: string, options: Common & { profile?: string; base?: string; topK?: string; exact: boolean }) =>
      run(async () => (await import("./commands/search.js")).search, { ...options, text }),
    );

  const asking = (command: Commander): Commander =>
    command
      .option(
        "--queries <path>",
        "folder in BEIR layout (queries.jsonl, qrels.tsv, corpus.jsonl), a file of queries, or shadow[:N]: N that the query service recorded; default: rollout.queries",
      )
      .option("--k <n>", "documents of an answer that are looked at; default: rollout.k, else 10")
      .option("--alpha <share>", "chance of error of each bound, one-sided; default: rollout.alpha, else 0.05")
      .option("--seed <n>", "equal seeds give equal results; default: 1")
      .option("--base <name>", "default: store.base_namespace")
      .option("--as-served", "ask the index, as a service does, instead of scanning every vector", false)
      .option("--concurrency <n>", "queries under way at once; latencies are measured under that load; default: 1")
      .option("--ingest", "fill a scratch namespace with corpus.jsonl beside the queries, and ask that one", false)
      .option("--max-cost-usd <amount>", "with --ingest: the most that each fill may cost");

  asking(
    leaf(program, "eval", "how good a profile's answers to your queries are", [
      "emb eval --profile st_minilm --queries ./queries",
      "emb eval --profile st_minilm --queries ./queries --ingest --run-file st_minilm.run",
    ]),
  )
    .requiredOption("--profile <name>", "whose namespace is asked, or run:FILE")
    .option("--run-file <path>", "write the answers as a TREC run")
    .action((options: Common & EvalOptions) =>
      run(async () => (await import("./commands/eval.js")).evalCommand, options),
    );

  asking(
    leaf(program, "compare", "a verdict on a candidate: GO, NO-GO or INCONCLUSIVE, by your own queries", [
      "emb compare --baseline use_lite --candidate st_minilm --queries ./queries",
      "emb compare --baseline st_minilm --candidate jina_v3 --queries ./queries --slice lang --max-p95-ms 200 --json",
      "emb compare --baseline use_lite --candidate st_minilm --queries ./queries --report report.html --summary report.md",
      "emb compare --baseline st_minilm --candidate jina_v3 --queries shadow:500",
      "emb compare --baseline run:old.run --candidate st_minilm --queries ./queries --margin 0.005",
    ]),
  )
    .addHelpText("after", "\nExit codes: 0 GO, 1 NO-GO, 3 INCONCLUSIVE, 2 could not run\n")
    .requiredOption("--baseline <name>", "profile that serves now, or run:FILE")
    .requiredOption("--candidate <name>", "profile that is to serve, or run:FILE")
    .option(
      "--metric <name>",
      "ndcg, ndcg_exp, recall, precision, mrr, map or success; default: rollout.metric, else ndcg",
    )
    .option("--margin <number>", "how much worse the candidate may be, absolute; default: rollout.margin, else 0.01")
    .option("--min-effect <number>", "how much better it must be, absolute")
    .option("--slice <field>", "field of a query's metadata: no slice may get worse either")
    .option("--min-slice-queries <n>", "a slice with fewer decides nothing; default: 20")
    .option("--rounds <n>", "resamples; default: 10000")
    .option("--max-p50-ms <ms>", "limit of the candidate's latency")
    .option("--max-p95-ms <ms>", "limit of the candidate's latency")
    .option("--max-p99-ms <ms>", "limit of the candidate's latency")
    .option("--max-p95-ratio <number>", "limit of the candidate's latency p95, as a multiple of the baseline's")
    .option("--max-error-pct <percent>", "limit of the candidate's errors")
    .option("--max-usd-per-1000 <amount>", "limit of the candidate's price of 1,000 queries")
    .option("--score-cut <score>", "your service shows results from this score on: find the candidate's threshold")
    .option("--keep <what>", "what that threshold is to keep, precision or recall; default: precision")
    .option("--report <path>", "write the comparison as one HTML file that needs no network")
    .option("--summary <path>", "write it as Markdown, for a pull request")
    .action((options: Common & CompareOptions) =>
      run(async () => (await import("./commands/compare.js")).compareCommand, options),
    );

  const rollout = group("rollout", "what stands between an environment and its new baseline");
  leaf(
    rollout,
    "check",
    "gate, requirements, plan, verify and compare as a checklist, with the command for each open item",
    ["emb rollout check --to st_minilm", "ENV=staging emb rollout check --to jina_v3 --queries ./queries --json"],
  )
    .addHelpText("after", "\nExit codes: 0 nothing is left, 1 something is, 3 not everything could be decided\n")
    .requiredOption("--to <profile>", "the profile that is to become the baseline")
    .option("--queries <path>", "default: rollout.queries of the environment's file")
    .option("--base <name>", "default: store.base_namespace")
    .action((options: Common & RolloutCheckOptions) =>
      run(async () => (await import("./commands/rollout-check.js")).rolloutCheck, options),
    );
  leaf(rollout, "lock-in", "show, or write, how an environment's file makes a profile its baseline", [
    "emb rollout lock-in --env staging --to st_minilm",
    "emb rollout lock-in --env staging --to st_minilm --write",
  ])
    .option("--env <name>", "whose file; default: ENV")
    .option("--to <profile>", "default: EMBEDDINGS_PROFILE")
    .option("--write", "write the file; comments are kept", false)
    .action((options: Common & RolloutLockInOptions) =>
      run(async () => (await import("./commands/rollout-lock-in.js")).rolloutLockIn, options),
    );

  leaf(program, "status", "what is active, and what namespaces, runs and readers are doing", ["emb status --json"])
    .option("--base <name>", "default: store.base_namespace")
    .action((options: Common & { base?: string }) =>
      run(async () => (await import("./commands/status.js")).status, options),
    );

  leaf(program, "rollback", "check that the old namespace can serve at once, and print what to set", [
    "emb rollback",
    "emb rollback --to use_lite --wait",
  ])
    .option("--to <profile>", "default: the baseline; when it serves already, what served before")
    .option("--base <name>", "default: store.base_namespace")
    .option("--accept-stale", "go back although documents changed since", false)
    .option("--wait", "wait until nothing lags behind, and until every reader reports the profile", false)
    .option("--timeout-s <seconds>", "how long --wait waits for each; default: 300")
    .action(
      (options: Common & { to?: string; base?: string; acceptStale: boolean; wait: boolean; timeoutS?: string }) =>
        run(async () => (await import("./commands/rollback.js")).rollback, options),
    );

  leaf(program, "retire <namespace>", "drop a namespace that nothing uses any more; documents are kept", [
    "emb retire docs_use_lite",
    "emb retire docs_use_lite --yes --json",
  ])
    .option("--base <name>", "when two bases have a namespace of this name")
    .option("--yes", "do not ask for the name to be typed", false)
    .action((namespace: string, options: Common & { base?: string; yes: boolean }) =>
      run(async () => (await import("./commands/retire.js")).retire, { ...options, namespace }),
    );

  leaf(
    program,
    "adopt",
    "seal a pgvector table that another program filled, by embedding a sample of its texts again",
    [
      "emb adopt --profile openai_3_small --namespace public.articles --id-column article_id --text-column body --base articles --yes",
    ],
  )
    .requiredOption("--profile <name>", "the profile whose model filled the table")
    .requiredOption("--namespace <table>", "the table, in the database of DATABASE_URL")
    .option("--id-column <name>", "one value for each row", "id")
    .option("--text-column <name>", "what was embedded, as it stands", "text")
    .option("--vector-column <name>", "of type vector or halfvec", "embedding")
    .option(
      "--sample <n>",
      "texts to embed again and compare: each must have cosine >= verify.witness_min_cosine",
      "20",
    )
    .option("--accept-failures <n>", "be ready with up to so many rows left out; recorded in the audit log")
    .option("--base <name>", "a base without documents; default: store.base_namespace")
    .option("--yes", "do not ask", false)
    .action((options: Common & AdoptOptions) =>
      run(async () => (await import("./commands/adopt.js")).adoptCommand, options),
    );

  const audit = group("audit", "the append-only log of decisions");
  leaf(audit, "verify", "recompute the hash chain", ["emb audit verify --expect-head 1f3a..."])
    .option("--expect-head <hash>", "the head that a log or an evidence file recorded")
    .action((options: Common & { expectHead?: string }) =>
      run(async () => (await import("./commands/audit-verify.js")).auditVerify, options),
    );

  leaf(audit, "list", "the newest decisions", ["emb audit list", "emb audit list --action run.ready --limit 5 --json"])
    .option("--limit <n>", "rows; default: 50")
    .option("--action <name>", "only these, for example cutover or run.paused")
    .action((options: Common & { limit?: string; action?: string }) =>
      run(async () => (await import("./commands/audit-list.js")).auditList, options),
    );
  leaf(audit, "export", "every row as it is stored, oldest first, one JSON object a line", [
    "emb audit export > audit.jsonl",
  ]).action((options: Common) => run(async () => (await import("./commands/audit-export.js")).auditExport, options));

  leaf(program, "quickstart", "watch a real swap: refuse, experiment, re-ingest, verify, compare, roll back", [
    "emb quickstart",
    "emb quickstart --source ./docs --dir /tmp/try",
  ])
    .option("--dir <path>", "where to work; default: a temporary folder")
    .option("--source <path>", "your own documents instead of the handbook")
    .action((options: Common & { dir?: string; source?: string }) =>
      run(async () => (await import("./commands/quickstart.js")).quickstart, options),
    );

  leaf(program, "dev", "query service and worker in one process", ["emb dev", "emb dev --source ./docs --port 8080"])
    .option("--source <path>", "fill the active profile's namespace from here first")
    .option("--port <n>", "default: query.port")
    .option("--base <name>", "default: store.base_namespace")
    .action((options: Common & { source?: string; port?: string; base?: string }) =>
      run(async () => (await import("./commands/dev.js")).dev, options),
    );

  leaf(program, "serve-model", "an in-process model behind the protocols of OpenAI and TEI", [
    "emb serve-model --profile st_minilm --port 8090",
    "emb serve-model --profile st_minilm --side query --host 0.0.0.0",
  ])
    .requiredOption("--profile <name>", "a profile whose model runs in process")
    .option("--port <n>", "0 takes any free port; default: 8090")
    .option("--host <address>", "where to listen", "127.0.0.1")
    .option("--side <side>", "document or query: whose prompt every text gets", "document")
    .action((options: Common & { profile: string; port?: string; host: string; side: string }) =>
      run(async () => (await import("./commands/serve-model.js")).serveModel, { ...options, version: host.version }),
    );

  return async (argv) => {
    try {
      await program.parseAsync(argv, { from: "user" });
      return exitCode;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return 0;
      if (error.code === "commander.help") return 2; // a command without its subcommand: the help was shown
      const { reportError, usageError } = await import("./gate-entry.js");
      const output = host.createOutput(argv.includes("--json"));
      return reportError(output, usageError(error.message, failedIn), {
        verbose: argv.includes("--verbose"),
        interrupted: false,
      });
    }
  };
}
