import { randomUUID } from "node:crypto";
import { EmbError, isEmbError, type ErrorCode } from "@emb/manifest";
import type { Search } from "@emb/search";
import { recordOverride } from "./deployment.js";
import { errorFields } from "./service-log.js";
import { createCandidate, type Candidate, type CandidateSetup } from "./shadow-candidate.js";
import { createShadowSampler, type ShadowSampler } from "./shadow-sampler.js";

export interface ShadowSetup extends CandidateSetup {
  /** The profile that serves. */
  readonly active: string;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Never goes back. */
  readonly nowMs: () => number;
}

/**
 * A candidate behind the answers. Nothing it does reaches an answer: where it may not or cannot be asked, it is not, and that is said.
 *
 * off, for good   the gate, the seal, the witness or the configuration speak against it: only another start looks again
 * off, for now    its namespace is not there or not ready, its model or the database is away: `tend` looks again -> on
 * on              a share of the answers is offered to it; `tend` finds its namespace gone or remade -> off, for now
 */
export interface Shadow {
  /** The search, its answers offered to the candidate. */
  around(search: Search): Search;
  /** For /readyz; null: no shadow is configured. `code` says why it is off; null: it has not been opened yet. */
  detail(): { readonly profile: string; readonly on: boolean; readonly code: ErrorCode | null } | null;
  /** Looks after the candidate, and keeps what was recorded in its bounds: at the start, and once a minute. Never throws. */
  tend(): Promise<void>;
  /** A sign of life for those who would retire its namespace. Never throws. */
  report(): Promise<void>;
  /** Waits at most two seconds for what is under way. */
  close(): Promise<void>;
}

const DRAIN_MS = 2_000;
const DAY_MS = 86_400_000;
/** A candidate that is away fails many times a second. */
const FAILURE_EVERY_MS = 60_000;

type State =
  | { readonly kind: "off"; readonly code: ErrorCode | null; readonly again: boolean }
  | { readonly kind: "on"; readonly search: Search; readonly sampler: ShadowSampler };

/** What passes by itself, or once a fill has ended. */
const mayPass = (error: unknown): boolean =>
  isEmbError(error) &&
  (error.retryable || error.code === "EMB_NAMESPACE_NOT_FOUND" || error.code === "EMB_NAMESPACE_NOT_READY");

const codeOf = (error: unknown): ErrorCode => (isEmbError(error) ? error.code : "EMB_INTERNAL");

/** Asks the gate and loads the candidate's model; `tend` opens its namespace. Never throws: what fails turns the shadow off. */
export async function openShadow(setup: ShadowSetup): Promise<Shadow> {
  const { settings, store, base, active, random, nowMs } = setup;
  const { shadow, shadowReads } = settings.rollout;
  const instance = randomUUID();
  const closing = new AbortController();
  let candidate: Candidate | null = null;
  let state: State = { kind: "off", code: null, again: true };
  let overrideRecorded = false;
  let failureToldMs = Number.NEGATIVE_INFINITY;
  let tending: Promise<void> | null = null;

  const { keep, keepDays } = shadowReads;
  const prune = () => store.shadowReads.prune({ base, keep, maxAgeMs: keepDays * DAY_MS });

  const turnOff = async (reason: unknown): Promise<void> => {
    if (closing.signal.aborted) return;
    const before = state;
    const code = codeOf(reason);
    state = { kind: "off", code, again: mayPass(reason) };
    candidate?.telemetry.shadow.on(false);
    if (before.kind === "on" || before.code !== code)
      (candidate?.log ?? setup.log).warn({ event: "shadow.off", shadow: shadow?.profile, ...errorFields(reason) });
    if (before.kind === "on") {
      await before.sampler.drain(DRAIN_MS);
      await store.readers.leave(instance).catch(() => {});
    }
    if (state.again) return;
    await candidate?.close();
    candidate = null;
  };

  /** Before the first query, so that whoever would retire the namespace sees it in use. */
  const report = ({ profile, address: { namespace } }: Candidate) => {
    const { environment } = settings;
    return store.readers.report({ instance, environment, base, namespace, profile: profile.name, use: "shadow" });
  };

  const turnOn = async (opened: Candidate, { samplePct, maxInFlight, timeoutMs }: NonNullable<typeof shadow>) => {
    const { profile, address, decision, telemetry, log } = opened;
    const search = await opened.open(closing.signal);
    if (!overrideRecorded) await recordOverride(store, settings, decision, "shadow");
    overrideRecorded = true;
    await report(opened);
    if (closing.signal.aborted) return;
    const sampler = createShadowSampler({
      base,
      samplePct,
      maxInFlight,
      timeoutMs,
      random,
      nowMs,
      candidate: { profile: profile.name, namespace: address.namespace },
      ask: (request, options) => search.search(request, options),
      record: (read) => store.shadowReads.record(read),
      onEnded: (end) => telemetry.shadow.ended(end),
      onFailure(error) {
        if (nowMs() - failureToldMs < FAILURE_EVERY_MS) return;
        failureToldMs = nowMs();
        log.warn({ event: "shadow.failed", code: codeOf(error) }); // no more: the error may hold the query
      },
    });
    state = { kind: "on", search, sampler };
    telemetry.shadow.on(true);
    log.info({ event: "shadow.on", namespace: address.namespace, sample_pct: samplePct });
  };

  /** The namespace is the one that was opened, and still fit to be read. */
  const recheck = async (opened: Candidate, search: Search): Promise<void> => {
    const { namespace } = opened.address;
    const found = await store.namespaces.find(opened.address);
    if (found?.id === search.reader.record.id && found.state === "ready") return;
    throw new EmbError(
      "EMB_NAMESPACE_NOT_READY",
      `namespace ${namespace}: expected the one that was opened, in state ready, seen ${found?.state ?? "none"} or another`,
      { hint: "Finish its run; the shadow goes on by itself." },
    );
  };

  const tend = async (): Promise<void> => {
    await prune().catch(() => {}); // a minute later it is tried again
    if (candidate === null || shadow === null || closing.signal.aborted) return;
    try {
      if (state.kind === "on") await recheck(candidate, state.search);
      else if (state.again) await turnOn(candidate, shadow);
    } catch (error) {
      if (state.kind === "on" && !isEmbError(error, "EMB_NAMESPACE_NOT_READY")) return; // the database is away: nothing was learnt
      await turnOff(error);
    }
  };

  if (shadow !== null)
    try {
      candidate = await createCandidate(setup, { name: shadow.profile, active });
    } catch (error) {
      await turnOff(error);
    }

  return {
    around: (search) => ({
      ...search,
      async search(request, options) {
        const startMs = nowMs();
        const answer = await search.search(request, options);
        if (state.kind === "on" && answer.seal === "equal")
          state.sampler.offer({ text: request.text, topK: request.topK, answer, latencyMs: nowMs() - startMs });
        return answer;
      },
    }),
    detail: () =>
      shadow && { profile: shadow.profile, on: state.kind === "on", code: state.kind === "on" ? null : state.code },
    tend: () => (tending ??= tend().finally(() => (tending = null))),
    async report() {
      if (candidate !== null && state.kind === "on") await report(candidate).catch(() => {});
    },
    async close() {
      closing.abort();
      if (state.kind === "on") await state.sampler.drain(DRAIN_MS);
      await tending;
      await store.readers.leave(instance).catch(() => {});
      await candidate?.close();
    },
  };
}
