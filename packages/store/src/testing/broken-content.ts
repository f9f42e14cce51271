import { writer, type Breakage } from "./breakage.js";
import type { contentChecks } from "./content-checks.js";

export const brokenContent: Record<keyof typeof contentChecks, Breakage> = {
  "a namespace is empty until a chunk is stored, also where documents are committed": writer((own, { documents }) => ({
    isEmpty: async () => {
      const page = { base: own.record.base, after: null, through: null, limit: 1, committedIn: own.record.id };
      return (await documents.read(page)).length === 0;
    },
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
