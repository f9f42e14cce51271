import { EmbError, isEmbError, providerVariables, resolveProvider, type ErrorCode, type Profile } from "@emb/manifest";
import type { ProviderOptions } from "./adapter.js";
import { createProvider } from "./factory.js";

/** What a real call to the model of a profile gave. Null: the call failed before it was known. */
export interface LiveCheck {
  readonly ok: boolean;
  readonly dims: number | null;
  /** L2 norm of the vector. */
  readonly norm: number | null;
  /** Of the call alone; the model was loaded before. */
  readonly latencyMs: number | null;
  /** Model named in the answer; of a model in process, the one that was loaded; null also when the service names none. */
  readonly model: string | null;
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string } | null;
}

const PROBE = "Which model turns this question into a vector?";

/**
 * Opens the provider of a profile and embeds one short query. What goes wrong is the result, with its code; only an abort by
 * `signal` throws.
 * @param options.timeoutMs for opening and calling together
 * @param options.nowMs monotonic
 */
export async function checkLive(
  profile: Profile,
  access: ProviderOptions,
  { signal, timeoutMs, nowMs }: { signal: AbortSignal; timeoutMs: number; nowMs: () => number },
): Promise<LiveCheck> {
  let model = isHosted(profile) ? null : profile.modelId;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const opening = createProvider(profile, {
    ...access,
    observer(event) {
      if (event.kind === "request") model = event.responseModel ?? model;
      access.observer?.(event);
    },
  });
  try {
    const provider = await orAborted(opening, bounded);
    const startMs = nowMs();
    const { dense, dims } = await provider.embedQueries([PROBE], { signal: bounded });
    const latencyMs = nowMs() - startMs;
    return { ok: true, dims, norm: Math.sqrt(dense.reduce((sum, x) => sum + x * x, 0)), latencyMs, model, error: null };
  } catch (error) {
    signal.throwIfAborted();
    const { code, message, hint } = bounded.aborted ? tooLate(profile, timeoutMs) : known(error);
    return { ok: false, dims: null, norm: null, latencyMs: null, model, error: { code, message, hint } };
  } finally {
    // Also one that is opened too late: nobody waits for it, and it must not stay open.
    const closing = opening.then((provider) => provider.close()).catch(() => {});
    if (!bounded.aborted) await closing;
  }
}

/** A model that another process runs: its provider has an address. */
const isHosted = (profile: Profile): boolean => {
  const id = resolveProvider(profile.provider);
  return id !== null && providerVariables(id).url !== undefined;
};

const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    }),
  ]);

const tooLate = ({ name }: Profile, timeoutMs: number): EmbError =>
  new EmbError("EMB_PROVIDER_UNAVAILABLE", `The model of profile "${name}" gave no answer within ${timeoutMs} ms.`, {
    hint: "Look at the service, and at the network between.",
  });

const known = (error: unknown): EmbError =>
  isEmbError(error)
    ? error
    : new EmbError("EMB_INTERNAL", error instanceof Error ? error.message : String(error), {
        hint: "Report this.",
        cause: error,
      });
