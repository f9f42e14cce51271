import { NAMESPACE_MODES, ProfileName, ServiceUrl } from "@emb/manifest";
import * as z from "zod";
import { DEFAULTS } from "./defaults.js";

const count = z.int().min(1);
const percent = z.number().min(0).max(100);
const amount = z.number().min(0);
const share = z.number().min(0).max(1);
const identifier = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,39}$/, "expected a lower-case letter, then at most 39 lower-case letters, digits or _");

const isPostgres = (source: string): boolean => /^postgres(?:ql)?:/.test(source);

/** What `emb compare` can decide by, as @emb/eval names it; a test of the command compares both lists. */
export const ROLLOUT_METRICS = ["ndcg", "ndcg_exp", "recall", "precision", "mrr", "map", "success"] as const;

const { store, query, ingest, verify, rollout } = DEFAULTS;

/** config/<environment>.yaml as a user may write it. Every section is optional. */
export const EnvironmentFile = z.strictObject({
  embedding: z
    .strictObject({
      profile: ProfileName.optional().meta({ description: "Baseline profile. Default: the manifest's." }),
      namespace_mode: z.enum(NAMESPACE_MODES).optional(),
      strict_mode: z.boolean().optional(),
      service_url: ServiceUrl.optional().meta({ description: "Address of the service of `profile`." }),
      service_urls: z.record(ProfileName, ServiceUrl).default({}).meta({ description: "Addresses by profile name." }),
    })
    .refine(({ service_url, profile }) => service_url === undefined || profile !== undefined, {
      error: "service_url needs profile beside it",
      path: ["service_url"],
      params: { hint: "Name the profile, or use service_urls." },
    })
    .prefault({}),
  store: z
    .strictObject({
      kind: z.enum(["postgres", "qdrant"]).default(store.kind),
      base_namespace: identifier.default(store.baseNamespace),
      schema: identifier.default(store.schema),
      queue_schema: identifier.default(store.queueSchema),
    })
    .prefault({}),
  query: z
    .strictObject({
      host: z.string().min(1).default(query.host),
      port: z.int().min(0).max(65_535).default(query.port).meta({ description: "0 takes any free port." }),
      top_k: count.default(query.topK),
      max_top_k: count.default(query.maxTopK),
      timeout_ms: count.default(query.timeoutMs),
    })
    .prefault({}),
  ingest: z
    .strictObject({
      max_document_bytes: count.default(ingest.maxDocumentBytes),
      chunk_tokens: count.default(ingest.chunkTokens),
      commit_rows: count.max(10_000).default(ingest.commitRows),
      shard_documents: count.default(ingest.shardDocuments),
      lease_ms: count.min(1_000).default(ingest.leaseMs),
      concurrency: count
        .max(64)
        .default(ingest.concurrency)
        .meta({ description: "Shards that one worker process fills at once; a model in process is given one." }),
      host: z.string().min(1).default(ingest.host),
      port: z
        .int()
        .min(0)
        .max(65_535)
        .default(ingest.port)
        .meta({ description: "Of the worker's /healthz, /readyz and /metrics. 0 takes any free port." }),
      stop_ms: z
        .int()
        .min(0)
        .default(ingest.stopMs)
        .meta({ description: "A worker that is told to stop has this long to commit what is under way." }),
      watch: z
        .array(
          z
            .strictObject({
              source: z.string().min(1).meta({
                description: "A folder or .jsonl file, from this file's folder on, or postgres://USER@HOST/DATABASE.",
              }),
              base: identifier.optional().meta({ description: "Default: store.base_namespace." }),
              table: z.string().min(1).optional().meta({ description: "Of a PostgreSQL source." }),
              query: z.string().min(1).optional().meta({ description: "Of a PostgreSQL source, instead of table." }),
              poll_ms: count.min(1_000).default(ingest.watch.pollMs),
            })
            .refine(
              (rows) =>
                [rows.table, rows.query].filter((rowsOf) => rowsOf !== undefined).length ===
                (isPostgres(rows.source) ? 1 : 0),
              {
                error: "a PostgreSQL source needs table or query beside it, and no other source has one",
                path: ["source"],
                params: {
                  hint: "Write table: NAME, or query: SELECT ... AS id, ... AS text, ... AS updated_at FROM ...",
                },
              },
            ),
        )
        .default([])
        .meta({ description: "Sources whose changes the worker brings to every namespace of their base." }),
    })
    .prefault({}),
  verify: z
    .strictObject({
      max_drift_pct: percent.default(verify.maxDriftPct),
      min_recall: share.default(verify.minRecall),
      witness_min_cosine: share.default(verify.witnessMinCosine),
      norm_tolerance: share.default(verify.normTolerance),
      sample_queries: count.default(verify.sampleQueries),
    })
    .prefault({}),
  rollout: z
    .strictObject({
      queries: z
        .string()
        .min(1)
        .regex(/^(?!shadow:)|^shadow:[1-9]\d{0,8}$/, "expected shadow:N with a whole number from 1 on")
        .optional()
        .meta({
          description:
            "Queries that decide: a folder or file, from the folder that holds config/ on; or shadow, or shadow:N for N of them, for those that the query service recorded.",
        }),
      metric: z.enum(ROLLOUT_METRICS).default(rollout.metric),
      k: count.max(100).default(rollout.k).meta({ description: "Documents of an answer that are looked at." }),
      margin: share.default(rollout.margin).meta({ description: "How much worse a candidate may be, absolute." }),
      min_effect: share.optional().meta({ description: "How much better it must be, absolute. Default: not asked." }),
      alpha: z
        .number()
        .min(0.0001)
        .max(0.4)
        .default(rollout.alpha)
        .meta({ description: "Chance of error of each bound, one-sided." }),
      slice: z
        .string()
        .min(1)
        .optional()
        .meta({ description: "Field of a query's metadata: no slice may get worse either." }),
      min_slice_queries: count
        .default(rollout.minSliceQueries)
        .meta({ description: "A slice with fewer is shown and decides nothing." }),
      limits: z
        .strictObject({
          max_p50_ms: amount.optional(),
          max_p95_ms: amount.optional(),
          max_p99_ms: amount.optional(),
          max_p95_ratio: z
            .number()
            .positive()
            .optional()
            .meta({ description: "Of the candidate's latency p95 to the baseline's." }),
          max_error_pct: percent.optional(),
          max_usd_per_1000: amount.optional().meta({ description: "Price of 1,000 queries." }),
        })
        .prefault({})
        .meta({ description: "Most that a candidate may take. What is not written is not asked." }),
      shadow: z
        .strictObject({
          profile: ProfileName,
          sample_pct: percent.default(rollout.shadow.samplePct),
          max_in_flight: count
            .default(rollout.shadow.maxInFlight)
            .meta({ description: "Queries that the candidate is asked at once; what comes beside is dropped." }),
          timeout_ms: count
            .default(rollout.shadow.timeoutMs)
            .meta({ description: "The candidate is given up after this long." }),
        })
        .optional()
        .meta({ description: "A candidate that a share of the queries is asked too. Stores the texts of queries." }),
      shadow_reads: z
        .strictObject({
          keep: z
            .int()
            .min(0)
            .default(rollout.shadowReads.keep)
            .meta({ description: "Newest recorded queries of a base that are kept; 0 removes all." }),
          keep_days: amount
            .max(3_650)
            .default(rollout.shadowReads.keepDays)
            .meta({ description: "Recorded queries that are older are removed." }),
        })
        .prefault({})
        .meta({ description: "Bounds of what shadow reads have recorded, also once no shadow is configured." }),
      canary: z
        .strictObject({
          profile: ProfileName,
          pct: percent.default(rollout.canary.pct),
          max_error_pct: percent.default(rollout.canary.maxErrorPct),
          max_latency_ratio: z.number().min(1).default(rollout.canary.maxLatencyRatio),
          min_overlap: share.default(rollout.canary.minOverlap),
        })
        .optional(),
    })
    .prefault({}),
});
export type EnvironmentFile = z.output<typeof EnvironmentFile>;
