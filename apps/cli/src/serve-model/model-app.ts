import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Side } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";
import { openAiError, openAiProtocol } from "./openai-protocol.js";
import { serveSide } from "./served-model.js";
import { teiError, teiProtocol } from "./tei-protocol.js";

/** 2,048 texts of 2,000 tokens in English. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

export interface ModelAppSetup {
  /** Which prompt and task of the profile every text gets. */
  readonly side: Side;
  readonly version: string;
  /** Told of every error that the caller sees only as "the model failed". */
  readonly onFailure: (error: Error) => void;
}

/**
 * A provider behind the protocols of OpenAI (POST /v1/embeddings) and Text Embeddings Inference (POST /embed, GET /info). Bodies are strict
 * and no text is ever cut: what is not understood or too long is an error in the protocol's own shape. The provider stays the caller's.
 */
export function createModelApp(provider: EmbeddingProvider, { side, version, onFailure }: ModelAppSetup): Hono {
  const served = serveSide(provider, side);
  const tooLarge = `The body has more than ${MAX_BODY_BYTES} bytes.`;
  const app = new Hono();
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError(context) {
        context.header("connection", "close"); // the rest of the body is not read, so the connection cannot be used again
        return context.req.path.startsWith("/v1/")
          ? openAiError(context, { status: 413, message: tooLarge, type: "invalid_request_error", code: null })
          : teiError(context, 413, tooLarge, "Validation");
      },
    }),
  );
  app.route("/v1", openAiProtocol(served, onFailure));
  app.route("/", teiProtocol(served, version, onFailure));
  app.notFound((context) => {
    const message = "There is nothing here: POST /v1/embeddings or /embed, GET /info or /health.";
    return context.req.path.startsWith("/v1/")
      ? openAiError(context, { status: 404, message, type: "invalid_request_error", code: "unknown_url" })
      : teiError(context, 404, message, "Validation");
  });
  return app;
}
