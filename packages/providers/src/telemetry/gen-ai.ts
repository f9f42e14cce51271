import type { Profile } from "@emb/manifest";

/**
 * Attribute names of OpenTelemetry's conventions for generative AI and databases. Kept here because the constants of
 * @opentelemetry/semantic-conventions are deprecated: the conventions moved to a repository of their own (read November 2026).
 */
export const genAiAttributes = ({ provider, modelId }: Profile) => ({
  "gen_ai.operation.name": "embeddings",
  "gen_ai.provider.name": provider,
  "gen_ai.request.model": modelId,
});

export const DIMENSION_COUNT = "gen_ai.embeddings.dimension.count";
export const INPUT_TOKENS = "gen_ai.usage.input_tokens";
export const RESPONSE_MODEL = "gen_ai.response.model";
export const TOKEN_TYPE = "gen_ai.token.type";
export const ERROR_TYPE = "error.type";
export const SERVER_ADDRESS = "server.address";
export const SERVER_PORT = "server.port";
export const HTTP_METHOD = "http.request.method";
export const HTTP_ROUTE = "http.route";
export const HTTP_STATUS = "http.response.status_code";
export const STORE_SEARCH = { "db.system.name": "postgresql", "db.operation.name": "search" } as const;
