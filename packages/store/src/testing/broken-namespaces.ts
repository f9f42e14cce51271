import { EmbError } from "@emb/manifest";
import type { Namespaces } from "../namespaces.js";
import { namespaces, reader, type Breakage } from "./breakage.js";
import type { namespaceChecks } from "./namespace-checks.js";

/** Answers instead of refusing. */
const forgiving = async <T>(call: () => Promise<T>, answer: () => Promise<T> | T): Promise<T> => {
  try {
    return await call();
  } catch {
    return answer();
  }
};
const existing = (own: Namespaces, base: string, suffix: string) => async () => {
  const found = await own.find({ base, suffix });
  if (found === null) throw new EmbError("EMB_INTERNAL", "a broken store needs what it breaks", { hint: "" });
  return found;
};
const forgivingCreate = namespaces((own) => ({
  create: (address, seal) => forgiving(() => own.create(address, seal), existing(own, address.base, address.suffix)),
}));
/** Opens under whatever seal is stored. */
const openAny = namespaces((own) => ({
  openReader: async (address, expected, options) =>
    own.openReader(address, (await own.find(address))?.seal ?? expected, options),
  openWriter: async (address, expected) => own.openWriter(address, (await own.find(address))?.seal ?? expected),
}));

export const brokenNamespaces: Record<keyof typeof namespaceChecks, Breakage> = {
  "a namespace is made filling and keeps its seal with the witness": namespaces((own) => ({
    find: async (address) => {
      const found = await own.find(address);
      return found === null ? null : { ...found, seal: { ...found.seal, witness: [] } };
    },
  })),
  "an equal seal gives the namespace that is there": namespaces((own) => ({
    create: async (address, seal) => ({ ...(await own.create(address, seal)), createdAt: new Date() }),
  })),
  "a changed fingerprint under the same profile name is refused with both fingerprints and the advice to take a new name":
    forgivingCreate,
  "another chunker is refused": forgivingCreate,
  "mode none holds one profile": forgivingCreate,
  "the mode is stored with the base and another one is refused": namespaces(() => ({
    modeOf: () => Promise.resolve("model"),
  })),
  "bases that look alike with their suffix never meet": namespaces((own) => ({
    find: async ({ base, suffix }) => {
      const name = suffix === "" ? base : `${base}_${suffix}`;
      return (await own.list()).find(({ namespace, state }) => namespace === name && state !== "retired") ?? null;
    },
  })),
  "more dims than a column takes are refused": namespaces((own) => ({
    create: (address, seal) => own.create(address, { ...seal, dims: Math.min(seal.dims, 16_000) }),
  })),
  "a namespace that is not there cannot be opened": namespaces((own) => ({
    openReader: (address, expected, options) =>
      forgiving(
        () => own.openReader(address, expected, options),
        async () => {
          await own.create(address, {
            ...expected,
            chunkerId: "",
            provider: "",
            modelId: "",
            similarity: "dot",
            storage: "vector",
            witness: [],
          });
          return own.openReader(address, expected, options);
        },
      ),
  })),
  "a reader of another space is refused with both fingerprints": openAny,
  "a reader needs an equal space, not an equal fingerprint": namespaces((own) => ({
    openReader: async (address, expected, options) => {
      const found = await own.find(address);
      if (found?.seal.fingerprint !== expected.fingerprint)
        throw new EmbError("EMB_SEAL_MISMATCH", "too strict", { hint: "-" });
      return own.openReader(address, expected, options);
    },
  })),
  "with strict off another space of equal dims is read as mismatched": openAny,
  "with strict off other dims are refused all the same": openAny,
  "a writer needs an equal fingerprint and chunker": openAny,
  "a verified namespace is ready": namespaces(() => ({ markReady: () => Promise.resolve() })),
  "a reader of a namespace that was retired meanwhile says so, also where another one took its place": reader(
    (own) => ({
      searchDense: (query) =>
        forgiving(
          () => own.searchDense(query),
          () => [],
        ),
    }),
  ),
  "a retired namespace is gone, stays in the list and makes room": namespaces(() => ({
    retire: () => Promise.resolve(),
  })),
};
