import { createHash } from "node:crypto";
import { assembleQuerySet } from "@emb/eval";
import { EmbError } from "@emb/manifest";
import type { Store } from "@emb/store";
import { wholeNumber } from "../whole-number.js";
import type { QueryFolder } from "./query-folder.js";

/** `--queries shadow:N`; a folder of that name is `./shadow`. */
const RECORDED = "shadow";
const SAMPLE = 1_000;

/** How many recorded queries `--queries` asks for; null: it names a path. @throws EmbError EMB_USAGE for an N that is no number from 1 on */
export function recordedSample(flag: string | undefined): number | null {
  if (flag === RECORDED) return SAMPLE;
  if (flag === undefined || !flag.startsWith(`${RECORDED}:`)) return null;
  const count = wholeNumber("--queries shadow:N", flag.slice(RECORDED.length + 1));
  if (count > 0) return count;
  throw new EmbError("EMB_USAGE", "--queries shadow:N: expected a whole number of at least 1, got 0", {
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
