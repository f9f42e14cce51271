import type { Settings } from "@emb/config";
import type { QuerySet, Side } from "@emb/eval";
import { withStore } from "@emb/query";
import type { Store } from "@emb/store";
import type { Session } from "../session.js";
import { wholeNumber } from "../whole-number.js";
import type { Excerpt } from "../comparison-report/report-content.js";
import { askQueries } from "./ask-queries.js";
import { countMissingDocuments } from "./missing-documents.js";
import { openSide, profileOf, type OpenedSide } from "./open-side.js";
import type { QueryFolder } from "./query-folder.js";
import { querySource, requireSliceField } from "./query-source.js";
import { fillScratch } from "./scratch-namespace.js";

/** Where answers are looked for. */
export interface AskFlags {
  /** A path, or shadow[:N] for queries that a query service recorded. Default: `rollout.queries` of the environment's file. */
  readonly queries?: string;
  readonly base?: string;
  /** Fill scratch namespaces with the corpus beside the queries, and ask those. */
  readonly ingest: boolean;
  readonly asServed: boolean;
  readonly concurrency?: string;
}

/** Answers of each side, and what they are answers to. */
export interface Asked {
  readonly set: QuerySet;
  readonly sides: readonly Side[];
  readonly opened: readonly OpenedSide[];
  /** The chunk by which each document was found first; none of a run file's. */
  readonly excerpts: ReadonlyMap<string, Excerpt>;
  readonly folder: QueryFolder;
  readonly base: string;
  readonly store: Store;
}

const NOTE_EVERY = 500;
/** Characters kept of a found text, so that a large corpus stays small in memory. */
const EXCERPT_LENGTH = 300;

/**
 * Reads the queries, opens every side (a profile, or run:FILE), asks all queries, and goes on with the answers while the store is open. Sides of one name are
 * opened and asked once.
 */
export async function withQuerySides<T>(
  session: Session,
  asking: {
    settings: Settings;
    names: readonly string[];
    flags: AskFlags;
    depth: number;
    /** Of the sample of recorded queries. */
    seed: number;
    /** Field by which the queries are cut into slices; null: none. */
    sliceBy: string | null;
    maxCostUsd: number | null;
  },
  work: (asked: Asked) => Promise<T>,
): Promise<T> {
  const { settings, names, flags, depth, seed, sliceBy, maxCostUsd } = asking;
  const concurrency = flags.concurrency === undefined ? 1 : wholeNumber("--concurrency", flags.concurrency, [1, 64]);
  const source = await querySource(session, settings, flags, seed);
  const { base, ingest } = source;
  const distinct = [...new Set(names)];
  return withStore(settings, async (store) => {
    const folder = await source.read(store);
    requireSliceField(folder.set, sliceBy);
    if (flags.ingest)
      for (const profile of distinct.filter((name) => profileOf(name) !== null))
        await fillScratch(session, { settings, store, folder, profile, maxCostUsd });
    const opened = new Map<string, OpenedSide>();
    try {
      for (const name of distinct) opened.set(name, await openSide(session, { settings, store, base, name, ingest }));
      const asked = names.map((name) => opened.get(name)!);
      const readers = [...opened.values()].flatMap((side) => (side.kind === "profile" ? [side.search.reader] : []));
      const set = await countMissingDocuments(folder.set, readers);
      const excerpts = new Map<string, Excerpt>();
      const sides = await askQueries(set, asked, {
        depth,
        asServed: flags.asServed,
        concurrency,
        signal: session.signal,
        nowMs: session.nowMs,
        onHits(hits) {
          for (const { documentId, headingPath, text } of hits)
            if (!excerpts.has(documentId))
              excerpts.set(documentId, { heading: headingPath, text: text.slice(0, EXCERPT_LENGTH) });
        },
        onAsked(count) {
          if (count % NOTE_EVERY === 0) session.output.note(`asked   ${count} of ${set.queries.length} queries`);
        },
      });
      return await work({ set, sides, opened: asked, excerpts, folder, base, store });
    } finally {
      for (const side of opened.values()) await side.close();
    }
  });
}
