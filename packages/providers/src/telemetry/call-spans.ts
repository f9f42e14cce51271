import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Span,
  type Tracer,
} from "@opentelemetry/api";
import { isEmbError, type Side } from "@emb/manifest";
import type { EmbeddingProvider, EmbedOptions, Sides } from "../provider.js";
import type { Operation, Outcome, ProviderEvent } from "../provider-events.js";
import type { TelemetryLabels } from "../telemetry-labels.js";
import {
  DIMENSION_COUNT,
  ERROR_TYPE,
  HTTP_METHOD,
  HTTP_ROUTE,
  HTTP_STATUS,
  INPUT_TOKENS,
  RESPONSE_MODEL,
  SERVER_ADDRESS,
  SERVER_PORT,
  STORE_SEARCH,
} from "./gen-ai.js";

export interface CallSpans {
  /** The provider with a span around each of its calls; what happens inside a call becomes a child of its span. */
  readonly traced: (provider: EmbeddingProvider) => EmbeddingProvider;
  /** A request that has ended, as a span that began its duration ago. */
  readonly requested: (event: ProviderEvent & { kind: "request" }) => void;
  /** Answers one request of a client inside a span, which continues the trace that the client's headers name. */
  readonly serveRequest: (request: ServedRequest, work: () => Promise<number>) => Promise<void>;
  /** Runs one search of the store inside a span. */
  readonly storeSearch: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface ServedRequest {
  readonly method: string;
  /** The route's pattern, never the path that was asked for. */
  readonly route: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface CallSpansSetup {
  readonly tracer: Tracer;
  readonly labels: TelemetryLabels;
  readonly genAi: Attributes;
  /** Milliseconds since 1970. */
  readonly epochMs: () => number;
}

/** Why a call ended, for a label or an attribute: never its message, which a service or a database may have written. */
export function outcomeOf(error: unknown, signal?: AbortSignal): Outcome {
  if (signal?.aborted === true) return "aborted";
  return isEmbError(error) ? error.code : "EMB_INTERNAL";
}

export function createCallSpans({ tracer, labels, genAi, epochMs }: CallSpansSetup): CallSpans {
  const call: Attributes = { ...labels, ...genAi, [DIMENSION_COUNT]: labels.embedding_dims };
  const store: Attributes = { ...labels, ...STORE_SEARCH };
  const name = `embeddings ${labels.embedding_model}`;

  async function inside<T>(span: Span, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await context.with(trace.setSpan(context.active(), span), work);
    } catch (error) {
      fail(span, outcomeOf(error, signal));
      throw error;
    } finally {
      span.end(epochMs());
    }
  }

  const startSpan = (spanName: string, attributes: Attributes): Span =>
    tracer.startSpan(spanName, { kind: SpanKind.CLIENT, startTime: epochMs(), attributes });

  const sides = <E extends { readonly tokens: number | null }>(inner: Sides<E>, operation: Operation): Sides<E> => {
    const around =
      (side: Side, embed: Sides<E>["embedDocuments"]) => (texts: readonly string[], options: EmbedOptions) => {
        const span = startSpan(name, {
          ...call,
          embedding_operation: operation,
          embedding_side: side,
          embedding_texts: texts.length,
        });
        return inside(span, options.signal, async () => {
          const answer = await embed(texts, options);
          if (answer.tokens !== null) span.setAttribute(INPUT_TOKENS, answer.tokens);
          return answer;
        });
      };
    return {
      embedDocuments: around("document", (texts, options) => inner.embedDocuments(texts, options)),
      embedQueries: around("query", (texts, options) => inner.embedQueries(texts, options)),
    };
  };

  return {
    traced: (provider) => ({
      profile: provider.profile,
      ...sides(provider, "dense"),
      ...(provider.sparse === undefined ? {} : { sparse: sides(provider.sparse, "sparse") }),
      ...(provider.multiVector === undefined ? {} : { multiVector: sides(provider.multiVector, "multi_vector") }),
      close: () => provider.close(),
    }),
    requested({
      operation,
      side,
      outcome,
      status,
      texts,
      tokens,
      durationMs,
      serverAddress,
      serverPort,
      responseModel,
    }) {
      const endMs = epochMs();
      const span = tracer.startSpan(`${name} request`, {
        kind: SpanKind.CLIENT,
        startTime: endMs - durationMs,
        attributes: {
          ...call,
          embedding_operation: operation,
          embedding_side: side,
          embedding_texts: texts,
          [SERVER_ADDRESS]: serverAddress,
          [SERVER_PORT]: serverPort,
          ...(status === null ? {} : { [HTTP_STATUS]: status }),
          ...(tokens === null ? {} : { [INPUT_TOKENS]: tokens }),
          ...(responseModel === null ? {} : { [RESPONSE_MODEL]: responseModel }),
        },
      });
      if (outcome !== "ok") fail(span, outcome);
      span.end(endMs);
    },
    async serveRequest({ method, route, headers }, work) {
      const attributes = { ...labels, [HTTP_METHOD]: method, [HTTP_ROUTE]: route };
      const parent = propagation.extract(context.active(), headers);
      const options = { kind: SpanKind.SERVER, startTime: epochMs(), attributes };
      const span = tracer.startSpan(`${method} ${route}`, options, parent);
      await inside(span, undefined, async () => {
        const status = await work();
        span.setAttribute(HTTP_STATUS, status);
        if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      });
    },
    storeSearch: (work) => inside(startSpan(`search ${labels.embedding_namespace}`, store), undefined, work),
  };
}

function fail(span: Span, outcome: Outcome): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute(ERROR_TYPE, outcome);
}
