import { resolve } from "node:path";
import type { Settings } from "@emb/config";
import type { QuerySet } from "@emb/eval";
import { EmbError } from "@emb/manifest";
import type { Store } from "@emb/store";
import type { Session } from "../session.js";
import { readQueryFolder, type QueryFolder } from "./query-folder.js";
import { readRecordedQueries, recordedSample } from "./recorded-queries.js";
import { corpusOf, scratchBase } from "./scratch-namespace.js";
import type { AskFlags } from "./with-query-sides.js";

/** As the command line or the environment's file names them. @throws EmbError EMB_USAGE when neither does */
function namedQueries({ rollout, paths }: Settings, flag: string | undefined): string {
  const named = flag ?? rollout.queries;
  if (named !== null) return named;
  throw new EmbError("EMB_USAGE", "no queries are named", {
    hint: `Give --queries PATH, or write rollout.queries into ${paths.environmentFile}.`,
  });
}

export interface QuerySource {
  /** Whose namespaces are asked. */
  readonly base: string;
  /** What --ingest would do, as the end of a sentence; null: it cannot be given. */
  readonly ingest: string | null;
  read(store: Store): Promise<QueryFolder>;
}

/** Files are read at once, before anything is opened. @throws EmbError EMB_QUERIES_INVALID, EMB_USAGE */
export async function querySource(
  session: Session,
  settings: Settings,
  flags: AskFlags,
  seed: number,
): Promise<QuerySource> {
  const { environmentFile } = settings.paths;
  const { base = settings.store.baseNamespace } = flags;
  const named = namedQueries(settings, flags.queries);
  const limit = recordedSample(named);
  if (limit === null) {
    const folder = await readQueryFolder(resolve(session.cwd, named));
    const ingest = `add --ingest, which fills a namespace of its own with ${named}/corpus.jsonl.`;
    return { base: flags.ingest ? scratchBase(corpusOf(folder).hash) : base, ingest, read: async () => folder };
  }
  if (flags.ingest)
    throw new EmbError("EMB_USAGE", "--ingest: expected queries with a corpus, got recorded ones, which have none", {
      hint: "Leave out --ingest: recorded queries are asked of the base in which they were recorded.",
    });
  return { base, ingest: null, read: (store) => readRecordedQueries(store, { base, limit, seed, environmentFile }) };
}

/**
 * A slice by a field that no query has would be one slice of everything, and protect none. Without judgements there are no slices.
 * @throws EmbError EMB_USAGE
 */
export function requireSliceField({ queries, judgements }: QuerySet, sliceBy: string | null): void {
  if (sliceBy === null || judgements === null || queries.some(({ labels }) => labels.has(sliceBy))) return;
  const fields = [...new Set(queries.flatMap(({ labels }) => [...labels.keys()]))].toSorted().slice(0, 10);
  throw new EmbError("EMB_USAGE", `--slice: expected a field that a query has, got "${sliceBy}"`, {
    hint: fields.length === 0 ? "No query has any: write it into its metadata." : `There are: ${fields.join(", ")}.`,
  });
}
