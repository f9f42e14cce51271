import { Hono, type Context } from "hono";
import { z } from "zod";
import { readBody } from "./json-body.js";
import { RequestFailure, rowOf, type FailureKind, type ServedModel } from "./served-model.js";

// Source of the protocol: developers.openai.com/api/reference/resources/embeddings and the error codes of its guides, read 2026-11.

const Request = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  encoding_format: z.enum(["float", "base64"]).default("float"),
  dimensions: z.int().optional(),
  user: z.string().optional(), // who asks, for the service's own records; there are none here
});

const FAILURES: Record<FailureKind, { status: 400 | 404 | 429; type: string; code: string | null }> = {
  invalid: { status: 400, type: "invalid_request_error", code: null },
  unknown_model: { status: 404, type: "invalid_request_error", code: "model_not_found" },
  too_long: { status: 400, type: "invalid_request_error", code: "context_length_exceeded" },
  too_many: { status: 400, type: "invalid_request_error", code: "array_above_max_length" },
  overloaded: { status: 429, type: "requests", code: "rate_limit_exceeded" },
};

/** POST /embeddings. */
export function openAiProtocol(served: ServedModel, onFailure: (error: Error) => void): Hono {
  const { modelId, dims } = served.profile;
  const app = new Hono();
  app.onError((error, context) => {
    if (error instanceof RequestFailure)
      return openAiError(context, { message: error.message, ...FAILURES[error.kind] });
    onFailure(error);
    return openAiError(context, { status: 500, message: "The model failed.", type: "server_error", code: null });
  });
  app.post("/embeddings", async (context) => {
    const { model, input, encoding_format: encoding, dimensions = dims } = await readBody(context, Request);
    if (model !== modelId)
      throw new RequestFailure("unknown_model", `This server runs the model ${modelId}, and no other.`);
    if (dimensions !== dims)
      throw new RequestFailure("invalid", `The model gives ${dims} dimensions and cannot be shortened.`);
    const texts = typeof input === "string" ? [input] : input;
    const embeddings = await served.embed(texts, context.req.raw.signal);
    const tokens = embeddings.tokens ?? 0;
    return context.json({
      object: "list",
      data: texts.map((_, index) => ({
        object: "embedding",
        index,
        embedding: (encoding === "base64" ? base64Of : numbersOf)(rowOf(embeddings, index)),
      })),
      model: modelId,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    });
  });
  return app;
}

export const openAiError = (
  context: Context,
  { status, ...error }: { status: 400 | 404 | 413 | 429 | 500; message: string; type: string; code: string | null },
) => context.json({ error: { ...error, param: null } }, status);

const numbersOf = (row: Float32Array): number[] => Array.from(row);

/** Of float32, little-endian: the order of every processor that Node runs on but one. */
const base64Of = (row: Float32Array): string =>
  Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString("base64");
