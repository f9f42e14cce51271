import { isEmbError, type EmbError, type Profile, type Side } from "@emb/manifest";
import type { Operation, Outcome, ProviderObserver, RetryReason } from "../provider-events.js";
import { AdaptiveLimit } from "./adaptive-limit.js";
import { CircuitBreaker } from "./circuit-breaker.js";
import type { EmbeddingService } from "./embedding-service.js";
import { judgeStatus, reasonOf, type Failures } from "./failures.js";
import type { HttpTuning } from "./http-tuning.js";
import type { BodyBytes } from "./number-rows.js";
import type { Pacing } from "./pacing.js";
import { Permits } from "./permits.js";
import type { Batch } from "./plan-batches.js";
import { readRetryAfter } from "./retry-after.js";
import type { ServiceAccess } from "./service-access.js";
import type { Reply, Transport } from "./transport.js";

/** What the batches of one call have in common. */
export interface BatchCalls {
  readonly operation: Operation;
  readonly side: Side;
  /** Path below the service's address, and what to send there; a null body is asked for by GET. */
  readonly request: (batch: Batch, base64: boolean) => { readonly path: string; readonly body: object | null };
  readonly maxAnswerBytes: (batch: Batch) => number;
  /** Asked only where tokens are limited. */
  readonly expectedTokens: (batch: Batch, signal: AbortSignal) => Promise<number>;
  /**
   * Reads and checks the answer to one batch, or to a part of one that was split, and keeps its vectors.
   * @throws EmbError EMB_PROVIDER_RESPONSE_INVALID
   */
  readonly accept: (body: BodyBytes, batch: Batch) => AcceptedAnswer;
  /** Told of a batch that was answered. */
  readonly answered?: ((batch: Batch, tokens: number | null) => void) | undefined;
  /** Told of a text that is refused alone, instead of ending the call. */
  readonly setAside?: ((index: number, error: EmbError) => void) | undefined;
}

export interface AcceptedAnswer {
  readonly tokens: number | null;
  readonly model: string | null;
}

export interface ServiceSetup {
  readonly profile: Profile;
  readonly service: EmbeddingService;
  readonly access: ServiceAccess;
  readonly transport: Transport;
  readonly failures: Failures;
  readonly tuning: HttpTuning;
  readonly pacing: Pacing | null;
  readonly observer: ProviderObserver;
}

/** How one attempt to have a batch answered ended. What no further attempt can mend is thrown. */
export type Attempt =
  | ({ readonly kind: "accepted" } & AcceptedAnswer)
  /** 400, 413 or 422: a text of the batch, its size, or a parameter. */
  | { readonly kind: "refused"; readonly status: number; readonly reason: string | null }
  /** `seen` names a status or a system error. */
  | { readonly kind: "failed"; readonly why: RetryReason; readonly seen: string; readonly retryAfterMs: number | null }
  /** Not sent: the breaker is open, or the service has asked everybody to wait. */
  | { readonly kind: "held"; readonly by: "breaker" | "rate_limit"; readonly waitMs: number };

/** After so many refusals without an answer in between, a Retry-After holds for every batch, not for the refused one alone. */
const REFUSALS_TO_HOLD = 2;

/** Sends batches one request each, under the concurrency limit and the breaker of one service, and judges the replies. */
export class ServiceAttempts {
  readonly #setup: ServiceSetup;
  readonly #limit: AdaptiveLimit;
  readonly #permits: Permits;
  readonly #breaker: CircuitBreaker;
  readonly #headers: Readonly<Record<string, string>>;
  #toldLimit: number;
  #refusalsInARow = 0;
  #heldUntilMs = -Infinity;

  constructor(setup: ServiceSetup) {
    const { access, tuning, observer } = setup;
    this.#setup = setup;
    this.#limit = new AdaptiveLimit(tuning.maxConcurrency);
    this.#toldLimit = this.#limit.limit;
    this.#permits = new Permits(() => this.#limit.limit);
    this.#breaker = new CircuitBreaker(tuning.breaker, tuning.nowMs, (state) => observer({ kind: "breaker", state }));
    this.#headers = {
      "content-type": "application/json",
      accept: "application/json",
      "accept-encoding": "identity",
      ...(access.apiKey === null ? {} : { authorization: `Bearer ${access.apiKey}` }),
    };
  }

  /**
   * @throws EmbError EMB_PROVIDER_RESPONSE_INVALID, EMB_PROVIDER_UNAUTHORIZED, EMB_PROVIDER_NOT_FOUND, EMB_PROVIDER_REJECTED;
   *   the signal's reason on abort
   */
  async attempt(calls: BatchCalls, batch: Batch, base64: boolean, signal: AbortSignal): Promise<Attempt> {
    const { tuning } = this.#setup;
    await this.#permits.take(signal);
    let tokens = 0;
    try {
      tokens = await this.#pace(calls, batch, signal); // last of all waits, so that requests go out as they were spread
    } catch (error) {
      this.#permits.giveBack();
      throw error;
    }
    let reply: Reply;
    let startMs = 0;
    let underWay = 0;
    try {
      const heldMs = this.#heldUntilMs - tuning.nowMs(); // asked only now: perhaps since this batch began to wait
      if (heldMs > 0) return { kind: "held", by: "rate_limit", waitMs: heldMs };
      const waitMs = this.#breaker.admit();
      if (waitMs > 0) return { kind: "held", by: "breaker", waitMs };
      startMs = tuning.nowMs();
      reply = await this.#send(calls, batch, base64, signal);
      underWay = this.#permits.taken;
    } catch (error) {
      if (signal.aborted) this.#tell(calls, batch, startMs, "aborted", null, null);
      throw error;
    } finally {
      this.#permits.giveBack();
    }
    if (reply.kind !== "answer") return this.#judgeSilence(calls, batch, reply, startMs);
    try {
      const attempt = this.#judgeAnswer(calls, batch, reply, startMs, underWay);
      this.#setup.pacing?.took(tokens, attempt.kind === "accepted" ? attempt.tokens : null);
      return attempt;
    } finally {
      reply.release();
    }
  }

  /** @returns the tokens that were expected of the request */
  async #pace(calls: BatchCalls, batch: Batch, signal: AbortSignal): Promise<number> {
    const { pacing, profile } = this.#setup;
    if (pacing === null) return 0;
    const tokens = profile.limits.tokensPerMinute === null ? 0 : await calls.expectedTokens(batch, signal);
    await pacing.wait(calls.side, tokens, signal);
    return tokens;
  }

  #send(calls: BatchCalls, batch: Batch, base64: boolean, signal: AbortSignal): Promise<Reply> {
    const { access, transport, tuning } = this.#setup;
    const { path, body } = calls.request(batch, base64);
    return transport.send(
      {
        method: body === null ? "GET" : "POST",
        path: access.path + path + access.query,
        headers: this.#headers,
        body: body === null ? null : Buffer.from(JSON.stringify(body)),
        timeoutMs: tuning.timeoutMs[calls.side],
        maxAnswerBytes: calls.maxAnswerBytes(batch),
      },
      signal,
    );
  }

  #judgeSilence(calls: BatchCalls, batch: Batch, reply: Exclude<Reply, { kind: "answer" }>, startMs: number): Attempt {
    if (reply.kind === "too_long") {
      this.#tell(calls, batch, startMs, "EMB_PROVIDER_RESPONSE_INVALID", null, null);
      throw this.#setup.failures.tooLong(calls.maxAnswerBytes(batch));
    }
    this.#tell(calls, batch, startMs, "EMB_PROVIDER_UNAVAILABLE", null, null);
    this.#breaker.failed();
    const seen =
      reply.kind === "timeout" ? `no whole answer in ${this.#setup.tuning.timeoutMs[calls.side]} ms` : reply.reason;
    return { kind: "failed", why: reply.kind, seen, retryAfterMs: null };
  }

  #judgeAnswer(
    calls: BatchCalls,
    batch: Batch,
    { status, header, body }: Reply & { kind: "answer" },
    startMs: number,
    underWay: number,
  ): Attempt {
    const { tuning, failures, access, observer } = this.#setup;
    if (status >= 200 && status < 300) {
      this.#breaker.succeeded();
      this.#refusalsInARow = 0;
      this.#limit.answered(tuning.nowMs() - startMs, underWay);
      this.#tellLimit();
      return this.#accept(calls, batch, status, body, startMs);
    }
    const verdict = judgeStatus(status);
    const reason = reasonOf(body, access.apiKey);
    if (verdict.kind === "retry") {
      const retryAfterMs = readRetryAfter(header("retry-after"), tuning.wallClockMs());
      if (verdict.reason === "rate_limited") {
        this.#tell(calls, batch, startMs, "EMB_PROVIDER_RATE_LIMITED", status, null);
        observer({ kind: "rate_limited", retryAfterMs });
        this.#breaker.succeeded(); // it is there, and says so
        if (++this.#refusalsInARow >= REFUSALS_TO_HOLD) {
          this.#heldUntilMs = Math.max(this.#heldUntilMs, tuning.nowMs() + (retryAfterMs ?? 0));
        }
      } else {
        this.#tell(calls, batch, startMs, "EMB_PROVIDER_UNAVAILABLE", status, null);
        this.#breaker.failed();
      }
      if (status === 429 || status === 503) this.#limit.refused();
      this.#tellLimit();
      return { kind: "failed", why: verdict.reason, seen: `status ${status}`, retryAfterMs };
    }
    this.#breaker.succeeded();
    if (verdict.kind === "fail") {
      this.#tell(calls, batch, startMs, verdict.code, status, null);
      throw failures.refused(verdict.code, status, reason, null);
    }
    this.#tell(calls, batch, startMs, "EMB_PROVIDER_REJECTED", status, null);
    return { kind: "refused", status, reason };
  }

  #accept(calls: BatchCalls, batch: Batch, status: number, body: BodyBytes, startMs: number): Attempt {
    const { profile, service, failures } = this.#setup;
    try {
      const accepted = calls.accept(body, batch);
      const { model } = accepted;
      if (model !== null && !(service.sameModel?.(profile.modelId, model) ?? model === profile.modelId)) {
        throw failures.anotherModel(model);
      }
      this.#tell(calls, batch, startMs, "ok", status, accepted);
      return { kind: "accepted", ...accepted };
    } catch (error) {
      this.#tell(calls, batch, startMs, isEmbError(error) ? error.code : "EMB_INTERNAL", status, null);
      throw error;
    }
  }

  #tell(
    calls: BatchCalls,
    batch: Batch,
    startMs: number,
    outcome: Outcome,
    status: number | null,
    accepted: AcceptedAnswer | null,
  ): void {
    const { observer, tuning, access } = this.#setup;
    observer({
      kind: "request",
      operation: calls.operation,
      side: calls.side,
      outcome,
      status,
      texts: batch.end - batch.start,
      tokens: accepted?.tokens ?? null,
      durationMs: tuning.nowMs() - startMs,
      serverAddress: access.serverAddress,
      serverPort: access.serverPort,
      responseModel: accepted?.model ?? null,
    });
  }

  #tellLimit(): void {
    const { limit } = this.#limit;
    if (limit === this.#toldLimit) return;
    this.#toldLimit = limit;
    this.#setup.observer({ kind: "concurrency", limit });
  }
}
