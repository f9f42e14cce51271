import { Hono, type Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { EmbError, isEmbError, type ErrorCode } from "@emb/manifest";
import { MAX_TOP_K, type Search } from "@emb/search";
import type { ProfileTelemetry } from "@emb/providers/telemetry";
import { answerDocument } from "./answer-document.js";
import { addHealthRoutes, type HealthSetup } from "./health-routes.js";

/** A question is a few lines; more than this is a mistake or an attack. */
const MAX_BODY_BYTES = 256 * 1024;

export interface QueryAppSetup extends HealthSetup {
  readonly search: Search;
  readonly topK: number;
  readonly maxTopK: number;
  readonly timeoutMs: number;
  /** What /v1/profile answers: the telemetry labels and more, snake_case. */
  readonly profile: () => Readonly<Record<string, string | number | boolean | null>>;
  /** Runs the answering of one request, given its route and headers, so that it can be traced. */
  readonly serveRequest: ProfileTelemetry["serveRequest"];
  /** Told of every error that the client sees only as `EMB_INTERNAL`. */
  readonly onFailure: (error: Error) => void;
}

type Status = 400 | 404 | 413 | 422 | 500 | 503;

const HTTP_STATUS: Partial<Record<ErrorCode, Status>> = {
  EMB_USAGE: 400,
  EMB_TEXT_EMPTY: 400,
  EMB_TEXT_TOO_LONG: 413,
  EMB_PROVIDER_UNAVAILABLE: 503,
  EMB_PROVIDER_RATE_LIMITED: 503,
  EMB_STORE_UNAVAILABLE: 503,
  EMB_NAMESPACE_NOT_FOUND: 503,
  EMB_SEAL_MISMATCH: 503,
};

/** The HTTP face of one opened namespace. Bodies are strict: an unknown key is an error, never dropped in silence. */
export function createQueryApp(setup: QueryAppSetup): Hono {
  const { search, topK, maxTopK, timeoutMs } = setup;
  const Query = z.strictObject({
    query: z.string(),
    top_k: z.int().min(1).max(Math.min(maxTopK, MAX_TOP_K)).default(topK),
  });
  const app = new Hono();

  app.onError((error, context) => {
    if (isEmbError(error, "EMB_PROVIDER_REJECTED") && error.context["index"] !== undefined) {
      if (isTooLong(error)) return errorAnswer(context, tooLong(), 413);
      setup.onFailure(error); // a service that is set up wrongly refuses every query, and its operator is to see that
      return errorAnswer(context, refusedQuery(error), 422);
    }
    const status = isEmbError(error) ? HTTP_STATUS[error.code] : undefined;
    if (isEmbError(error) && status !== undefined) return errorAnswer(context, error, status);
    if (error.name === "TimeoutError" || error.name === "AbortError") {
      const late = `no answer within ${timeoutMs} ms`;
      return errorAnswer(
        context,
        new EmbError("EMB_PROVIDER_UNAVAILABLE", late, { hint: "Try again; raise query.timeout_ms if it stays." }),
        503,
      );
    }
    setup.onFailure(error);
    const hidden = new EmbError("EMB_INTERNAL", "the service failed; its log says more", {
      hint: "Read the service's log.",
    });
    return errorAnswer(context, hidden, 500);
  });
  app.notFound((context) =>
    errorAnswer(
      context,
      new EmbError("EMB_USAGE", "there is nothing at this path", {
        hint: "POST /v1/query, GET /v1/profile, /healthz, /readyz or /metrics.",
      }),
      404,
    ),
  );

  addHealthRoutes(app, setup);
  app.get("/v1/profile", (context) => context.json(setup.profile()));

  app.use("/v1/query", (context, next) => {
    const { method } = context.req;
    return setup.serveRequest({ method, route: "/v1/query", headers: context.req.header() }, async () => {
      await next();
      return context.res.status;
    });
  });
  app.post("/v1/query", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (context) => {
    const parsed = Query.safeParse(await readJson(context));
    if (!parsed.success)
      throw new EmbError("EMB_USAGE", z.prettifyError(parsed.error).replaceAll(/\s+/g, " "), {
        hint: 'Send {"query": "...", "top_k": 10}.',
      });
    const signal = AbortSignal.any([context.req.raw.signal, AbortSignal.timeout(timeoutMs)]);
    const answer = await search.search({ text: parsed.data.query, topK: parsed.data.top_k }, { signal });
    return context.body(JSON.stringify(answerDocument(answer, search.reader.record.seal), versionAsNumber), 200, {
      "content-type": "application/json",
    });
  });
  return app;
}

/** How services say that they refuse one text for its length, where its tokens could not be counted before it was sent. */
const isTooLong = ({ context: { status, reason } }: EmbError): boolean =>
  status === 413 || reason === "context_length_exceeded";

const tooLong = () =>
  new EmbError("EMB_TEXT_TOO_LONG", "the query is longer than the model's service takes", {
    hint: "Shorten the query.",
  });

/** In words of our own: whoever asks is not told where the service is. */
const refusedQuery = ({ context: { status } }: EmbError) =>
  new EmbError("EMB_PROVIDER_REJECTED", `the model's service refuses this query, with status ${status}`, {
    hint: "Ask it in other words; if other queries are refused too, read the service's log.",
  });

async function readJson(context: Context): Promise<unknown> {
  try {
    return await context.req.json();
  } catch {
    throw new EmbError("EMB_USAGE", "expected a JSON body", {
      hint: 'Send {"query": "...", "top_k": 10} as application/json.',
    });
  }
}

function tooLarge(context: Context) {
  context.header("connection", "close"); // the rest of the body is not read, so the client must not use the connection again
  const message = `expected at most ${MAX_BODY_BYTES} bytes of body`;
  return errorAnswer(context, new EmbError("EMB_TEXT_TOO_LONG", message, { hint: "Shorten the query." }), 413);
}

const errorAnswer = (context: Context, { code, message, hint }: EmbError, status: Status) =>
  context.json({ error: { code, message, hint } }, status);

const versionAsNumber = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? Number(value) : value);
