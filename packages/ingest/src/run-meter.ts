import { EmbError, type Profile } from "@emb/manifest";
import type { EmbeddingProvider, Tokenizer } from "@emb/providers";
import type { Run, Runs } from "@emb/store";
import type { EmbedOutcome } from "./embed-isolating.js";
import { embedMetered } from "./embed-metered.js";

interface MeteredOutcome extends EmbedOutcome {
  /** null, or why only the first texts have an outcome: the run's limit does not reach for the next. */
  readonly stopped: EmbError | null;
}

/** Embeds for one run, within its limit, and writes into its ledger what each call took. */
export interface RunMeter {
  /** @throws what the provider throws; what was spent until then is in the ledger */
  embed(texts: readonly string[], signal: AbortSignal): Promise<MeteredOutcome>;
}

/**
 * Without a limit the ledger is written after a call. With one, what the call may cost at most is set apart first; where the limit does not
 * reach for all texts, as many as it reaches for are sent, and what they really took tells how far it reaches then. So it is never passed, whatever
 * dies and however many processes share it. What a service charges for a call that failed, nobody is told.
 * @throws EmbError EMB_PRICE_UNKNOWN for a run with a limit whose profile has no price
 */
export function createRunMeter(meter: {
  runs: Pick<Runs, "reserveSpend" | "settleSpend">;
  run: Pick<Run, "id" | "spend">;
  provider: EmbeddingProvider;
  tokenizer: Tokenizer;
}): RunMeter {
  const { runs, run, provider, tokenizer } = meter;
  const { maxCostUsd } = run.spend;
  const { profile } = provider;
  if (maxCostUsd !== null) requirePrice(profile);
  const price = profile.pricePerMillionTokens;

  const call = (texts: readonly string[], signal: AbortSignal, reserved?: { tokens: number; costUsd: number }) =>
    embedMetered(meter, texts, {
      signal,
      async settle({ tokens, costUsd }) {
        if (tokens > 0 || reserved !== undefined)
          await runs.settleSpend(run.id, { spent: { tokens, costUsd }, ...(reserved && { reserved }) });
      },
    });

  return {
    async embed(texts, signal) {
      if (maxCostUsd === null || price === null || price === 0) {
        const { outcomes, tokens } = await call(texts, signal);
        return { outcomes, tokens, stopped: null };
      }
      const bounds = texts.map((text) => tokenizer.countTokens(text).tokens);
      const done: EmbedOutcome["outcomes"][number][] = [];
      let tokensDone = 0;
      let end = texts.length;
      while (done.length < texts.length) {
        const tokens = bounds.slice(done.length, end).reduce((sum, bound) => sum + bound, 0);
        const reserved = { tokens, costUsd: (tokens / 1e6) * price };
        const refused = await runs.reserveSpend(run.id, reserved);
        if (refused !== null) {
          const reach = howFar(bounds, done.length, (refused.leftUsd / price) * 1e6);
          if (reach === done.length)
            return { outcomes: done, tokens: tokensDone, stopped: limitReached(run.id, maxCostUsd) };
          end = Math.min(reach, end - 1);
          continue;
        }
        const part = await call(texts.slice(done.length, end), signal, reserved);
        done.push(...part.outcomes);
        tokensDone += part.tokens;
        end = texts.length;
      }
      return { outcomes: done, tokens: tokensDone, stopped: null };
    },
  };
}

/** Sums of parts differ from the sum in their last digits: what a limit exactly pays for is sent. */
const LAST_DIGITS = 1 + 1e-9;

/** The place after the last text from `from` on that so many tokens reach for. */
function howFar(bounds: readonly number[], from: number, tokens: number): number {
  let sum = 0;
  for (let place = from; place < bounds.length; place++) {
    sum += bounds[place]!;
    if (sum > tokens * LAST_DIGITS) return place;
  }
  return bounds.length;
}

const usd = (amount: number): string => `${Number(amount.toPrecision(6))} USD`;

const limitReached = (runId: string, maxCostUsd: number): EmbError =>
  new EmbError("EMB_BUDGET_REACHED", `run ${runId}: the limit of ${usd(maxCostUsd)} does not reach for the next text`, {
    hint: "Go on with the same command and a higher --max-cost-usd: it counts from the run's start, and what is committed is kept.",
    context: { run_id: runId, max_cost_usd: maxCostUsd },
  });

/**
 * A limit that is kept with a run whose profile has no price would stop it for good.
 * @throws EmbError EMB_PRICE_UNKNOWN
 */
export function requirePrice({ name, pricePerMillionTokens }: Pick<Profile, "name" | "pricePerMillionTokens">): void {
  if (pricePerMillionTokens === null) throw priceUnknown(name);
}

const priceUnknown = (profile: string): EmbError =>
  new EmbError(
    "EMB_PRICE_UNKNOWN",
    `profile ${profile}: a limit needs price_per_million_tokens, which the manifest does not have`,
    {
      hint: "Write the profile's price into the manifest, or leave --max-cost-usd out.",
      context: { profile },
    },
  );

/**
 * Refuses a limit that the plan already passes. Pure.
 * @param budget.spentUsd by the unfinished run that would be gone on with
 * @throws EmbError EMB_PRICE_UNKNOWN, EMB_BUDGET_TOO_LOW
 */
export function checkBudget(budget: {
  profile: string;
  maxCostUsd: number;
  planUsd: number | null;
  exact: boolean;
  spentUsd: number;
}): void {
  const { profile, maxCostUsd, planUsd, exact, spentUsd } = budget;
  if (planUsd === null) throw priceUnknown(profile);
  if (spentUsd + planUsd <= maxCostUsd * LAST_DIGITS) return;
  const before = spentUsd > 0 ? ` after ${usd(spentUsd)} that the run has spent` : "";
  throw new EmbError(
    "EMB_BUDGET_TOO_LOW",
    `the plan costs ${exact ? "" : "about "}${usd(planUsd)}${before}, which is over the limit of ${usd(maxCostUsd)}`,
    {
      hint: `Give --max-cost-usd ${Number(((spentUsd + planUsd) * (exact ? 1 : 1.2)).toPrecision(3))} or more; emb plan shows what it is for.`,
      context: { profile, plan_usd: planUsd, max_cost_usd: maxCostUsd },
    },
  );
}
