import { changes, documents, reader, writer, type Breakage } from "./breakage.js";
import type { liveDocumentChecks } from "./live-document-checks.js";

const newest = 2n ** 40n;

/** For every promise about documents that change by themselves a store that breaks it. */
export const brokenLiveDocuments: Record<keyof typeof liveDocumentChecks, Breakage> = {
  "a document that is put is stored, and queued for every namespace of its base": documents((own) => ({
    put: ({ base, source, document }) =>
      own
        .intake({ base, runId: "none", source, documents: [document] })
        .then(() => ({ state: "stored", version: document.version - 1n })),
  })),
  "putting the same content again changes nothing but the version": documents((own) => ({
    put: (put) => own.put({ ...put, document: { ...put.document, contentHash: new Uint8Array(32) } }),
  })),
  "what is put in the same content while a fill holds the older version is queued": changes(() => ({
    claim: () => Promise.resolve([]),
  })),
  "an older put is superseded, by a newer document and by a tombstone": documents((own) => {
    let version = newest;
    return { put: (put) => own.put({ ...put, document: { ...put.document, version: version++ } }) };
  }),
  "a run that began before a change leaves it alone, whoever gave its version": documents((own) => ({
    intake: (intake) => own.intake({ ...intake, runId: "none" }),
  })),
  "a run that reads another text under the version it stored gives it one of its own": reader(() => ({
    lag: () => Promise.resolve(0),
  })),
  "versions of the caller and drawn ones are told apart in what is committed": writer(() => ({
    readChanged: () => Promise.resolve([]),
  })),
  "intake queues what is new or changed for the other namespaces, and not for the run's own": documents((own) => ({
    intake: (intake) => own.intake({ ...intake, runId: "none" }),
  })),
  "intake leaves a caller's version alone that is stored with another text, and queues only what it stores": documents(
    (own) => ({
      intake: (call) =>
        own.intake({ ...call, documents: call.documents.map(({ ownVersion: _drawn, ...document }) => document) }),
    }),
  ),
  "intake of a caller's version forgets what is committed under a drawn one of that number": reader(() => ({
    lag: () => Promise.resolve(0),
  })),
  "a caller's version that comes again with another text is another one for whoever has read it": writer((own) => ({
    writeBatch: (batch) =>
      own.writeBatch({ ...batch, documents: batch.documents.map(({ contentHash: _any, ...document }) => document) }),
  })),
  "a higher version of the caller's for the content that is stored outranks what comes late": documents((own) => ({
    compare: (compared) =>
      own.compare({
        ...compared,
        documents: compared.documents.map(({ ownVersion: _drawn, ...document }) => document),
      }),
  })),
  "a version of the caller's for content that is not shown yet leaves it so": documents((own) => ({
    intake: (call) =>
      own.intake({
        ...call,
        documents: call.documents.map((document) => ({ ...document, version: document.version + 1n })),
      }),
  })),
  "an erased document leaves its id and version, and nothing of its content": documents((own) => ({
    delete: (deletion) => own.delete({ ...deletion, version: 0n }),
  })),
};
