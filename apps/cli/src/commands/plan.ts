import { planReingest, type Plan } from "@emb/ingest";
import { createCounting } from "@emb/ingest-worker";
import { findProfile, withStore } from "@emb/query";
import type { Settings } from "@emb/config";
import type { Store } from "@emb/store";
import { readSettings } from "../read-settings.js";
import type { Command, Session } from "../session.js";
import { openNamedSource, type NamedSource, type SourceOptions } from "../named-source.js";

export interface PlanOptions extends SourceOptions {
  readonly to: string;
  readonly base?: string;
}

/** What a re-ingest would do and take. Not gated: it starts nothing. */
export const planCommand: Command<PlanOptions> = async (session, options) => {
  const settings = readSettings(session);
  const source = await openNamedSource(session, settings, options);
  const base = options.base ?? settings.store.baseNamespace;
  return withStore(settings, async (store) => {
    printPlan(session, await planFill(session, { settings, store, base, to: options.to, source }));
    return 0;
  });
};

export async function planFill(
  session: Session,
  fill: { settings: Settings; store: Store; base: string; to: string; source: NamedSource },
): Promise<Plan> {
  const { settings, store, base, to, source } = fill;
  const profile = findProfile(settings, to);
  return planReingest({
    store,
    base,
    mode: settings.namespaceMode,
    provider: { profile },
    source: source.opened,
    signal: session.signal,
    ...(await createCounting(settings, session.env, profile)),
  });
}

export function printPlan({ output }: Session, plan: Plan): void {
  const { chunks, bytes } = plan;
  output.document({
    namespace: plan.namespace,
    exists: plan.exists,
    documents: plan.documents,
    removed: plan.removed,
    set_aside: plan.setAside,
    chunks: { total: chunks.total, to_embed: chunks.toEmbed, unchanged: chunks.unchanged },
    tokens: plan.tokens,
    tokens_exact: plan.tokensExact,
    cost_usd: plan.costUsd,
    seconds: plan.seconds,
    seconds_at_least: plan.secondsAtLeast,
    bytes: bytes.vectors + bytes.text,
    vector_bytes: bytes.vectors,
    text_bytes: bytes.text,
  });
  for (const line of planLines(plan)) output.line(line);
}

export function planLines(plan: Plan): string[] {
  const { chunks, bytes } = plan;
  const gone = plan.removed > 0 ? `, ${plan.removed} removed` : "";
  const aside = plan.setAside > 0 ? `, ${plan.setAside} set aside` : "";
  return [
    `plan  ${plan.namespace}${plan.exists ? "" : " (new)"}`,
    `  documents  ${plan.documents}${gone}${aside}`,
    `  chunks     ${chunks.total}: ${chunks.toEmbed} to embed, ${chunks.unchanged} there already or repeated`,
    `  tokens     ${plan.tokens}${plan.tokensExact ? "" : " (estimate)"}`,
    `  cost       ${plan.costUsd === null ? "unknown: the manifest has no price_per_million_tokens for this profile" : `${plan.costUsd.toFixed(4)} USD`}`,
    `  time       ${timeOf(plan)}`,
    `  size       ${mebibytes(bytes.vectors)} vectors, ${mebibytes(bytes.text)} text; the index comes on top`,
  ];
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const timeOf = ({ seconds, secondsAtLeast }: Plan): string => {
  if (seconds !== null) return `${seconds.toFixed(1)} s of embedding, as fast as a run here before`;
  const least = secondsAtLeast > 0 ? `; the profile's rate limits allow ${secondsAtLeast.toFixed(0)} s at best` : "";
  return `unknown: no run of this profile embedded anything here yet${least}`;
};
