import type { BreakerState, Operation, Outcome, RetryReason } from "../provider-events.js";

/** Which check of the swap spoke: the override gate, or the seal with its witness. */
export type Guard = "gate" | "seal";
/** `blocked`: it stopped the use. `warned`: an answer was given although the seal does not match (strict mode off). `clean`: it let the use through. */
export type GuardOutcome = "blocked" | "warned" | "clean";
/** What became of a query that was sampled for a candidate: `dropped`, as too many were under way; `failed`, as it was not answered or not kept. */
export type ShadowOutcome = "recorded" | "dropped" | "failed" | "timeout";

/**
 * Outcomes that are a label's value: what a provider throws, by its port's contract. Any other code counts as EMB_INTERNAL, so that a metric
 * has as many series as are written here and no more.
 */
export const OUTCOMES = [
  "ok",
  "aborted",
  "EMB_TEXT_EMPTY",
  "EMB_TEXT_TOO_LONG",
  "EMB_MODEL_UNAVAILABLE",
  "EMB_PROVIDER_RESPONSE_INVALID",
  "EMB_PROVIDER_UNAVAILABLE",
  "EMB_PROVIDER_RATE_LIMITED",
  "EMB_PROVIDER_REJECTED",
  "EMB_PROVIDER_UNAUTHORIZED",
  "EMB_PROVIDER_NOT_FOUND",
  "EMB_INTERNAL",
] as const satisfies readonly Outcome[];

export type OutcomeLabel = (typeof OUTCOMES)[number];

const LABELLED: ReadonlySet<string> = new Set(OUTCOMES);
const isLabelled = (outcome: Outcome): outcome is OutcomeLabel => LABELLED.has(outcome);
export const outcomeLabel = (outcome: Outcome): OutcomeLabel => (isLabelled(outcome) ? outcome : "EMB_INTERNAL");

/** Every value that a label can take. The labels of `TelemetryLabels`, which stand on every series, are fixed for one profile in one process. */
export const LABEL_VALUES = {
  operation: ["dense", "sparse", "multi_vector"] satisfies readonly Operation[],
  side: ["query", "document"],
  outcome: OUTCOMES,
  reason: ["rate_limited", "timeout", "connection", "server_error"] satisfies readonly RetryReason[],
  state: ["closed", "half_open", "open"] satisfies readonly BreakerState[],
  guard: ["gate", "seal"] satisfies readonly Guard[],
  guard_outcome: ["blocked", "warned", "clean"] satisfies readonly GuardOutcome[],
  shadow_outcome: ["recorded", "dropped", "failed", "timeout"] satisfies readonly ShadowOutcome[],
  error_type: OUTCOMES,
} as const;

export interface MetricRow {
  /** As OTLP carries it. */
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  /** UCUM, as OpenTelemetry writes it. */
  readonly unit: string;
  /** Labels beside those of `TelemetryLabels`, as OTLP carries them, with the set of values of each; null for one fixed value. */
  readonly labels: Readonly<Record<string, keyof typeof LABEL_VALUES | null>>;
  readonly meaning: string;
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

const CALL = { operation: "operation", side: "side", outcome: "outcome" } as const;
const GEN_AI = {
  "gen_ai.operation.name": null,
  "gen_ai.provider.name": null,
  "gen_ai.request.model": null,
} as const;

// Source of both lists: OpenTelemetry semantic conventions for generative AI, client metrics, read November 2026.
const GEN_AI_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const GEN_AI_TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const SHARES = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const STORE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every metric of emb. docs/observability/README.md, the dashboard and the alert rules are compared with it by tests. */
export const METRICS = {
  info: {
    name: "embedding_provider_info",
    kind: "gauge",
    unit: "",
    labels: { environment: null },
    meaning: "1 while the process holds this profile, 0 after: what runs, and under which rule.",
  },
  calls: {
    name: "embedding_provider_calls_total",
    kind: "counter",
    unit: "",
    labels: CALL,
    meaning: "Calls of the provider that ended, all batches and retries included.",
  },
  texts: {
    name: "embedding_provider_texts_total",
    kind: "counter",
    unit: "",
    labels: CALL,
    meaning: "Texts in calls that ended.",
  },
  tokens: {
    name: "embedding_provider_tokens_total",
    kind: "counter",
    unit: "",
    labels: { operation: "operation", side: "side" },
    meaning: "Input tokens, where the provider counts them.",
  },
  requests: {
    name: "embedding_provider_requests_total",
    kind: "counter",
    unit: "",
    labels: CALL,
    meaning: "HTTP requests to the embedding service that ended, each try counted.",
  },
  requestDuration: {
    name: "embedding_provider_request_duration_seconds",
    kind: "histogram",
    unit: "s",
    labels: CALL,
    meaning: "How long an HTTP request to the embedding service took.",
    buckets: REQUEST_SECONDS,
  },
  retries: {
    name: "embedding_provider_retries_total",
    kind: "counter",
    unit: "",
    labels: { reason: "reason" },
    meaning: "Requests sent again, by reason.",
  },
  splits: {
    name: "embedding_provider_splits_total",
    kind: "counter",
    unit: "",
    labels: {},
    meaning: "Batches that the service refused and that were cut in two.",
  },
  rateLimited: {
    name: "embedding_provider_rate_limited_total",
    kind: "counter",
    unit: "",
    labels: {},
    meaning: "Answers 429 of the service.",
  },
  breaker: {
    name: "embedding_provider_breaker_state",
    kind: "gauge",
    unit: "",
    labels: { state: "state" },
    meaning: "1 for the state that the circuit breaker is in, 0 for the others; absent until the breaker has moved.",
  },
  concurrency: {
    name: "embedding_provider_concurrency_limit",
    kind: "gauge",
    unit: "",
    labels: {},
    meaning: "How many requests may be under way at once; absent until the limit has changed.",
  },
  guard: {
    name: "embedding_profile_guard_events_total",
    kind: "counter",
    unit: "",
    labels: { guard: "guard", outcome: "guard_outcome" },
    meaning: "What the gate and the seal decided: blocked, warned (an answer read under another seal) or clean.",
  },
  changesQueued: {
    name: "embedding_namespace_changes_queued",
    kind: "gauge",
    unit: "",
    labels: {},
    meaning: "Live changes that the namespace does not show yet.",
  },
  changesAge: {
    name: "embedding_namespace_changes_oldest_age_seconds",
    kind: "gauge",
    unit: "s",
    labels: {},
    meaning: "How long the oldest of them has waited; 0 when none waits.",
  },
  changesSetAside: {
    name: "embedding_namespace_changes_set_aside",
    kind: "gauge",
    unit: "",
    labels: {},
    meaning: "Live changes of which the provider refused a text.",
  },
  shadowOn: {
    name: "embedding_shadow_on",
    kind: "gauge",
    unit: "",
    labels: {},
    meaning: "1 while the profile is asked beside the one that serves, 0 while it is configured to be and cannot.",
  },
  shadowReads: {
    name: "embedding_shadow_reads_total",
    kind: "counter",
    unit: "",
    labels: { outcome: "shadow_outcome" },
    meaning: "Queries sampled for this candidate, by what became of them.",
  },
  shadowDuration: {
    name: "embedding_shadow_duration_seconds",
    kind: "histogram",
    unit: "s",
    labels: {},
    meaning: "How long the candidate took to answer, to fail or to be given up.",
    buckets: REQUEST_SECONDS,
  },
  shadowOverlap: {
    name: "embedding_shadow_overlap",
    kind: "histogram",
    unit: "",
    labels: {},
    meaning: "Share of the documents that both profiles found for a query.",
    buckets: SHARES,
  },
  operationDuration: {
    name: "gen_ai.client.operation.duration",
    kind: "histogram",
    unit: "s",
    labels: { ...GEN_AI, "error.type": "error_type" },
    meaning: "How long a call of the provider took.",
    buckets: GEN_AI_SECONDS,
  },
  tokenUsage: {
    name: "gen_ai.client.token.usage",
    kind: "histogram",
    unit: "{token}",
    labels: { ...GEN_AI, "gen_ai.token.type": null },
    meaning: "Input tokens of a call, where the provider counts them.",
    buckets: GEN_AI_TOKENS,
  },
  storeDuration: {
    name: "db.client.operation.duration",
    kind: "histogram",
    unit: "s",
    labels: { "db.system.name": null, "db.operation.name": null, "error.type": "error_type" },
    meaning: "How long the store took to find the nearest vectors of a query.",
    buckets: STORE_SECONDS,
  },
} as const satisfies Record<string, MetricRow>;

/** The name under which Prometheus knows a metric; a histogram adds _bucket, _sum and _count. */
export const prometheusName = ({ name }: Pick<MetricRow, "name">): string => name.replaceAll(".", "_");

/** How many series (histograms: label sets) one profile in one process can make of a metric. */
export const maxSeries = ({ labels }: Pick<MetricRow, "labels">): number =>
  Object.values(labels).reduce((product, values) => product * (values === null ? 1 : LABEL_VALUES[values].length), 1);
