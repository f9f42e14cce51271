import { z } from "zod";
import { EmbError, providerVariables, resolveProvider, type ErrorCode, type Profile } from "@emb/manifest";
import type { RetryReason } from "../provider-events.js";
import type { BodyBytes } from "./number-rows.js";

/** What a status that is not 2xx means for the batch that got it. */
export type StatusVerdict =
  /** Send it again later. */
  | { readonly kind: "retry"; readonly reason: RetryReason }
  /** Something in the batch is refused: cut it in two until the bad text is alone. */
  | { readonly kind: "split" }
  /** No text of any batch would be taken. */
  | { readonly kind: "fail"; readonly code: ErrorCode };

/** Source: RFC 9110 section 15; RFC 6585 section 4 (429); 529 is "overloaded" at several model services. */
export function judgeStatus(status: number): StatusVerdict {
  if (status === 429) return { kind: "retry", reason: "rate_limited" };
  if (status === 408) return { kind: "retry", reason: "timeout" };
  if (status >= 500) return { kind: "retry", reason: "server_error" };
  if (status === 424 || status === 425) return { kind: "retry", reason: "server_error" }; // TEI: the backend failed (424)
  if (status === 401 || status === 403 || status === 402) return { kind: "fail", code: "EMB_PROVIDER_UNAUTHORIZED" };
  if (status === 404 || status === 405 || status === 410) return { kind: "fail", code: "EMB_PROVIDER_NOT_FOUND" };
  if (status >= 300 && status < 400) return { kind: "fail", code: "EMB_PROVIDER_NOT_FOUND" };
  if (status === 400 || status === 413 || status === 422) return { kind: "split" };
  return { kind: "fail", code: "EMB_PROVIDER_REJECTED" };
}

/** How an error body may name its reason. Source: the error objects of OpenAI, Cohere, Voyage, Jina, TEI and Ollama, read 2026-11. */
const Reason = z.string().regex(/^[a-z][a-z0-9_.-]{2,48}$/i);
const ErrorBody = z.object({
  error: z
    .object({ code: Reason.nullish().catch(null), type: Reason.nullish().catch(null) })
    .nullish()
    .catch(null),
  error_type: Reason.nullish().catch(null),
  code: Reason.nullish().catch(null),
});
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/**
 * The service's own word for what is wrong, such as `context_length_exceeded`. Its sentences are left out: they may repeat
 * the text or the key.
 */
export function reasonOf({ bytes, length }: BodyBytes, secret: string | null): string | null {
  if (length > MAX_ERROR_BODY_BYTES) return null;
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString("utf8", 0, length));
  } catch {
    return null;
  }
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success) return null;
  const { error, error_type: errorType, code } = parsed.data;
  const reason = error?.code ?? error?.type ?? errorType ?? code ?? null;
  return reason === null || (secret !== null && reason.includes(secret)) ? null : reason;
}

/** Makes the errors of one profile's service. Statuses, counts and names only: no text, body or key. */
export class Failures {
  readonly #profile: Profile;
  readonly #host: string;

  constructor(profile: Profile, host: string) {
    this.#profile = profile;
    this.#host = host;
  }

  /** @param what goes on after "answered with" */
  invalid(what: string, hint?: string): EmbError {
    const { name } = this.#profile;
    return this.#error("EMB_PROVIDER_RESPONSE_INVALID", `answered with ${what}`, {
      hint: hint ?? `Compare model_id, dims and normalized_output of profile "${name}" with the model's documentation.`,
    });
  }

  tooLong(maxBytes: number): EmbError {
    return this.invalid(
      `more than the ${maxBytes} bytes that the vectors can take`,
      "Check the service's address: this is no embedding service's answer.",
    );
  }

  /** Both names are public: they come from the manifest and from the service. */
  anotherModel(named: string): EmbError {
    const { name, modelId } = this.#profile;
    const shown = /^[\w./:@-]{1,120}$/.test(named) ? `"${named}"` : "another name";
    return this.invalid(
      `vectors of the model ${shown}, "${modelId}" was asked for`,
      `Point the service at "${modelId}", or give the other model a profile of its own beside "${name}".`,
    );
  }

  unavailable(requests: number, seen: string): EmbError {
    return this.#unavailable(`gave no answer to ${requests} requests, at last: ${seen}`, { requests });
  }

  breakerOpen(waitMs: number): EmbError {
    return this.#unavailable("failed several times in a row and is left alone for now", {
      retry_after_ms: Math.ceil(waitMs),
    });
  }

  #unavailable(what: string, context: Readonly<Record<string, string | number>>): EmbError {
    return this.#error("EMB_PROVIDER_UNAVAILABLE", what, {
      hint: `Check that ${this.#host} is up and reachable, then try again.`,
      context,
    });
  }

  rateLimited(requests: number, waitMs: number | null): EmbError {
    const wait = waitMs === null ? "" : `, and asks to wait ${Math.ceil(waitMs / 1_000)} s`;
    return this.#error("EMB_PROVIDER_RATE_LIMITED", `refused ${requests} requests in a row with status 429${wait}`, {
      hint: "Try again later; if it stays, ask the service for a higher limit.",
      context: { status: 429, ...(waitMs === null ? {} : { retry_after_ms: Math.ceil(waitMs) }) },
    });
  }

  /** @param index of the text in the caller's list, when one text is to blame */
  refused(code: ErrorCode, status: number, reason: string | null, index: number | null): EmbError {
    const { name, modelId } = this.#profile;
    const about = index === null ? "" : ` for text ${index} alone`;
    const says = reason === null ? "" : ` (${reason})`;
    return this.#error(code, `answered with status ${status}${says}${about}`, {
      hint:
        HINTS[code]?.(this.#keyVariable(), name, modelId) ?? `Look at text ${index ?? 0} and at the model's limits.`,
      context: { status, ...(index === null ? {} : { index }), ...(reason === null ? {} : { reason }) },
    });
  }

  #error(
    code: ErrorCode,
    what: string,
    { hint, context }: { hint: string; context?: Readonly<Record<string, string | number>> },
  ): EmbError {
    const { name, provider } = this.#profile;
    return new EmbError(code, `Provider "${provider}" at ${this.#host} ${what}.`, {
      hint,
      context: { profile: name, provider, ...context },
    });
  }

  #keyVariable(): string {
    const id = resolveProvider(this.#profile.provider);
    return (id === null ? undefined : providerVariables(id).key) ?? "its key";
  }
}

const HINTS: Partial<Record<ErrorCode, (keyVariable: string, profile: string, modelId: string) => string>> = {
  EMB_PROVIDER_UNAUTHORIZED: (keyVariable) => `Set ${keyVariable} to a key that may use this model.`,
  EMB_PROVIDER_NOT_FOUND: (_key, profile, modelId) =>
    `Check the service's address and that it knows the model_id "${modelId}" of profile "${profile}".`,
};
