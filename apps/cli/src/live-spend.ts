import type { LiveSpend, Store } from "@emb/store";
import { costText } from "./usd.js";

/** By the number of the namespace; absent where live changes took nothing. */
export const readLiveSpends = async ({ changes }: Pick<Store, "changes">): Promise<ReadonlyMap<number, LiveSpend>> =>
  new Map((await changes.spend()).map((spend) => [spend.namespaceId, spend]));

/** What the live changes of a namespace took, as --json shows it. */
export const describeLiveSpend = (spend: LiveSpend | undefined) => ({
  texts: spend?.texts ?? 0,
  tokens: spend?.tokens ?? 0,
  cost_usd: spend === undefined ? 0 : spend.costUsd,
});

export const liveSpendLine = (
  namespace: string,
  { texts, tokens, cost_usd }: ReturnType<typeof describeLiveSpend>,
): string => `${namespace}: live changes took ${texts} texts, ${tokens} tokens, ${costText(cost_usd)}`;
