import { createHash } from "node:crypto";
import { assembleQuerySet } from "@emb/eval";
import { EmbError } from "@emb/manifest";
import type { Store } from "@emb/store";
import type { QueryFolder } from "./query-folder.js";

/** `shadow` or `shadow:N`; a folder of that name is `./shadow`. */
const RECORDED = "shadow";
const SAMPLE = 1_000;

/** How many recorded queries are asked for; null: a path is named. @throws EmbError EMB_USAGE for an N that is no whole number from 1 on */
export function recordedSample(named: string): number | null {
  if (named === RECORDED) return SAMPLE;
  if (!named.startsWith(`${RECORDED}:`)) return null;
  const count = named.slice(RECORDED.length + 1);
  if (/^[1-9]\d{0,8}$/.test(count)) return Number(count);
  throw new EmbError("EMB_USAGE", `--queries shadow:N: expected a whole number from 1 on as N, got "${count}"`, {
    hint: "For example --queries shadow:500.",
  });
}

/**
 * Queries that a query service recorded: up to `limit` different texts, the same for the same seed and records. Nobody judged them. A query's id is the
 * beginning of its text's SHA-256, so that it is the same in every sample.
 * @throws EmbError EMB_QUERIES_INVALID when none are recorded for the base
 */
export async function readRecordedQueries(
  { shadowReads }: Pick<Store, "shadowReads">,
  { base, limit, seed, environmentFile }: { base: string; limit: number; seed: number; environmentFile: string },
): Promise<QueryFolder> {
  const texts = await shadowReads.sampleQueries({ base, limit, seed });
  if (texts.length === 0)
    throw new EmbError("EMB_QUERIES_INVALID", `base ${base}: expected recorded shadow reads, found none`, {
      hint: `Write rollout.shadow into ${environmentFile} and let the query service answer for a while, or give --queries PATH.`,
    });
  const queries = texts.map((text) => ({ id: sha256(text).slice(0, 16), text, labels: new Map<string, string>() }));
  const set = assembleQuerySet({ queries, duplicates: 0 }, null);
  return { set, corpus: null, hashes: { queries: sha256(set.queries.map(({ text }) => text).join("\0")) } };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
