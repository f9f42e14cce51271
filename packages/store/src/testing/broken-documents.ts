import { documents, reader, type Breakage } from "./breakage.js";
import type { documentChecks } from "./document-checks.js";

export const brokenDocuments: Record<keyof typeof documentChecks, Breakage> = {
  "drawn versions rise": documents(() => ({ nextVersion: () => Promise.resolve(5n) })),
  "a document comes back as it was given": documents((own) => ({
    read: async (page) => (await own.read(page)).map((document) => ({ ...document, text: document.text.trim() })),
  })),
  "intake counts what is new, changed, unchanged and superseded": documents((own) => ({
    intake: async (call) => {
      const counts = await own.intake(call);
      return { ...counts, created: counts.created + counts.changed, changed: 0 };
    },
  })),
  "intake takes over what came from another source, and its text only where it differs": documents((own) => ({
    intake: (call) => own.intake({ ...call, source: "place before" }),
  })),
  "comparing finds its documents among others, in whatever order they come": documents((own) => ({
    compare: async (compared) => {
      const seen = await own.compare({ ...compared, source: "place before" });
      return { ...seen, differing: seen.differing.slice(1) };
    },
  })),
  "a walk tells what stands between and did not come, of its own source": documents((own) => ({
    compare: async (compared) => {
      const { differing, unseen } = await own.compare(compared);
      return { differing, unseen: compared.walkedThrough === null ? null : (unseen ?? []) };
    },
  })),
  "an unchanged document keeps its version": documents((own) => ({
    read: async (page) => (await own.read(page)).map((document) => ({ ...document, version: document.version + 1n })),
  })),
  "a newer document is never overwritten by an older one": documents((own) => ({
    intake: (call) =>
      own.intake({ ...call, documents: call.documents.map((document) => ({ ...document, version: 9n })) }),
  })),
  "repeating an intake changes nothing": documents((own) => ({
    intake: (call) =>
      own.intake({
        ...call,
        documents: call.documents.map((document) => ({
          ...document,
          contentHash: crypto.getRandomValues(new Uint8Array(32)),
        })),
      }),
  })),
  "order is bytewise and the bounds are after, through": documents((own) => ({
    read: async (page) => (await own.read(page)).toSorted((a, b) => a.id.localeCompare(b.id)),
  })),
  "a page ends with the document that passes maxBytes": documents((own) => ({
    read: ({ base, after, through, limit }) => own.read({ base, after, through, limit }),
  })),
  "a NUL character is refused by name and nothing of the call is stored": documents((own) => ({
    intake: ({ documents: given, ...call }) =>
      own.intake({
        ...call,
        documents: given.map((document) => ({
          ...document,
          title: null,
          metadata: {},
          text: document.text.replaceAll("\0", ""),
        })),
      }),
  })),
  "sweep tombstones what the run did not see, of its source and older": documents((own) => ({
    sweep: (sweep) => own.sweep({ ...sweep, version: sweep.version + 100n }),
  })),
  "sweep looks again at what a walk found unseen, and behind its end": documents((own) => ({
    sweep: ({ walked: _forgotten, ...sweep }) => own.sweep(sweep),
  })),
  "sweep ends the run's memory": documents((own) => ({
    sweep: async (sweep) => {
      const seen = await own.read({ base: sweep.base, after: null, through: null, limit: 1_000 });
      const swept = await own.sweep(sweep);
      await own.markSeen({ ...sweep, documentIds: seen.map(({ id }) => id) });
      return swept;
    },
  })),
  "a deletion stays deleted until a newer version comes": documents((own) => ({
    delete: async (deletion) => ({ ...(await own.delete({ ...deletion, version: 5n })), version: deletion.version }),
  })),
  "deleting tells when it was newer or not there": documents((own) => ({
    delete: async (deletion) => ({ ...(await own.delete(deletion)), state: "deleted" }),
  })),
  "a deletion removes the chunks from every namespace of the base": reader((own, store) => ({
    count: async () => {
      const { live, deleted } = await store.documents.count(own.record.base);
      return { documents: live + deleted, chunks: 2 * (live + deleted) };
    },
  })),
};
