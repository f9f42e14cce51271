import { writer, type Breakage } from "./breakage.js";
import type { contentChecks } from "./content-checks.js";

export const brokenContent: Record<keyof typeof contentChecks, Breakage> = {
  "a namespace is empty until a chunk is stored, also where documents are committed": writer((own) => ({
    isEmpty: async () => (await own.countCommitted()) === 0,
  })),
  "a document forgotten with its chunks leaves no vector to be found": writer((own) => ({
    forget: (ids) => own.forget(ids),
  })),
  "documents are copied from another namespace of the base, vectors and all": writer((own) => ({
    copyDocuments: async (copy) => {
      const copied = await own.copyDocuments(copy);
      await own.forget(["c"], { chunks: true });
      return copied;
    },
  })),
  "vectors are found in other namespaces when asked there": writer((own) => ({
    findVectors: (hashes) => own.findVectors(hashes),
  })),
  "vectors are found by content and others are absent": writer((own) => ({
    findVectors: async (hashes) => new Map([["0".repeat(64), new Float32Array(4)], ...(await own.findVectors(hashes))]),
  })),
};
