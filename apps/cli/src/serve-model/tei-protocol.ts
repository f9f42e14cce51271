import { Hono, type Context } from "hono";
import { z } from "zod";
import { readBody } from "./json-body.js";
import { MAX_REQUESTS, MAX_TEXTS, RequestFailure, rowOf, type FailureKind, type ServedModel } from "./served-model.js";

// Source of the protocol: huggingface/text-embeddings-inference, docs/openapi.json, read 2026-11.

const Request = z.strictObject({
  inputs: z.union([z.string(), z.array(z.string()).min(1)]),
  normalize: z.boolean().default(true),
  truncate: z.boolean().nullish(),
  truncation_direction: z.enum(["left", "right"]).optional(),
  prompt_name: z.null().optional(), // the profile's prompt of the served side is applied already
});

type ErrorType = "Validation" | "Overloaded" | "Backend";

const FAILURES: Record<FailureKind, { status: 413 | 422 | 429; type: ErrorType }> = {
  invalid: { status: 422, type: "Validation" },
  unknown_model: { status: 422, type: "Validation" },
  too_long: { status: 413, type: "Validation" },
  too_many: { status: 413, type: "Validation" },
  overloaded: { status: 429, type: "Overloaded" },
};

/** POST /embed, GET /info and GET /health. */
export function teiProtocol(served: ServedModel, version: string, onFailure: (error: Error) => void): Hono {
  const { profile } = served;
  const { normalizedOutput } = profile.capabilities;
  const app = new Hono();
  app.onError((error, context) => {
    if (!(error instanceof RequestFailure)) {
      onFailure(error);
      return teiError(context, 424, "The model failed.", "Backend");
    }
    const { status, type } = FAILURES[error.kind];
    return teiError(context, status, error.message, type);
  });
  app.get("/health", (context) => context.body(null, 200));
  app.get("/info", (context) =>
    context.json({
      model_id: profile.modelId,
      model_sha: profile.revision,
      model_dtype: profile.precision ?? "float32",
      model_type: { embedding: { pooling: profile.pooling ?? "mean" } },
      max_concurrent_requests: MAX_REQUESTS,
      max_input_length: profile.limits.maxInputTokens,
      max_batch_tokens: profile.limits.maxInputTokens * MAX_TEXTS,
      max_client_batch_size: MAX_TEXTS,
      auto_truncate: false,
      tokenization_workers: 1,
      version,
    }),
  );
  app.post("/embed", async (context) => {
    const { inputs, normalize, truncate } = await readBody(context, Request);
    if (truncate) throw new RequestFailure("invalid", "Texts are never cut here: leave truncate out.");
    if (normalize !== normalizedOutput)
      throw new RequestFailure(
        "invalid",
        `The model's vectors ${normalizedOutput ? "have norm 1" : "are not normalised"}.`,
      );
    const texts = typeof inputs === "string" ? [inputs] : inputs;
    const embeddings = await served.embed(texts, context.req.raw.signal);
    return context.json(texts.map((_, index) => Array.from(rowOf(embeddings, index))));
  });
  return app;
}

export const teiError = (context: Context, status: 404 | 413 | 422 | 424 | 429, error: string, type: ErrorType) =>
  context.json({ error, error_type: type }, status);
