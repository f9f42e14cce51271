import { hits, reader, withoutLast, type Breakage } from "./breakage.js";
import type { searchChecks } from "./search-checks.js";

/** Answers instead of refusing. */
const forgiving = async <T>(call: () => Promise<T>, answer: () => Promise<T> | T): Promise<T> => {
  try {
    return await call();
  } catch {
    return answer();
  }
};

export const brokenSearch: Record<keyof typeof searchChecks, Breakage> = {
  "cosine similarity is the score": hits((found) => found.map((hit) => ({ ...hit, score: 1 - hit.score }))),
  "the inner product is the score": hits((found) => found.map((hit) => ({ ...hit, score: -hit.score }))),
  "minus the Euclidean distance is the score": hits((found) => found.map((hit) => ({ ...hit, score: -hit.score }))),
  "equal scores come in order of document and ordinal": hits((found) =>
    found.toSorted((a, b) => b.score - a.score || b.ordinal - a.ordinal),
  ),
  "a hit carries its text and where it is from": hits((found) => found.map((hit) => ({ ...hit, text: "" }))),
  "as many hits as asked for, fewer only when there are fewer chunks": hits((found) => found.slice(0, 10)),
  "a query of wrong dims or with numbers that are not finite is refused": reader((own) => ({
    searchDense: (query) =>
      forgiving(
        () => own.searchDense(query),
        () => [],
      ),
  })),
  "documents and chunks are counted": reader((own) => ({
    count: async () => {
      const rows = await own.scan({ after: null, limit: 1_000 });
      return { documents: rows.filter(({ ordinal }) => ordinal === 0).length, chunks: rows.length };
    },
  })),
  "documents that are not shown as they are now are lag": reader(() => ({ lag: () => Promise.resolve(0) })),
  "scanning pages through all chunks in order of their key": reader((own) => ({
    scan: async (page) => withoutLast(await own.scan(page)),
  })),
  "scanning tells content hash, version, dims, norm and what is shown": reader((own) => ({
    scan: async (page) => (await own.scan(page)).map((row) => ({ ...row, shownHash: row.contentHash })),
  })),
  "the same seed samples the same vectors": reader((own) => ({
    sampleVectors: ({ limit }) => own.sampleVectors({ limit, seed: Math.floor(Math.random() * 1e9) }),
  })),
  "content that has a vector is found by its hash, and no other": reader(() => ({
    findContent: (hashes) => Promise.resolve(new Set(hashes.map((hash) => Buffer.from(hash).toString("hex")))),
  })),
};
