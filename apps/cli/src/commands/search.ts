import { openSearch } from "@emb/search";
import { targetAddress } from "@emb/ingest";
import { readSettings } from "../read-settings.js";
import { createModel } from "@emb/ingest-worker";
import { answerDocument, passGate, recordOverride, withStore } from "@emb/query";
import { paint } from "../output.js";
import type { Command } from "../session.js";
import { wholeNumber } from "../whole-number.js";

export interface SearchOptions {
  readonly text: string;
  readonly profile?: string;
  readonly base?: string;
  readonly topK?: string;
  readonly exact: boolean;
}

/** Asks one question of the namespace of a profile. */
export const search: Command<SearchOptions> = async (session, options) => {
  const settings = readSettings(session, options.profile);
  const { profile, decision } = passGate(settings, session.env, options.profile);
  const topK = options.topK === undefined ? settings.query.topK : wholeNumber("--top-k", options.topK);
  return withStore(settings, async (store) => {
    const { provider } = await createModel(settings, session.env, profile, {
      pacer: store.rateLimits,
      http: {}, // somebody waits for the answer
    });
    try {
      await recordOverride(store, settings, decision, "search");
      const base = options.base ?? settings.store.baseNamespace;
      const address = targetAddress({ base, mode: settings.namespaceMode, provider, store });
      const { namespaces } = store;
      const opened = await openSearch({
        namespaces,
        address,
        provider,
        strict: settings.strictMode,
        signal: session.signal,
      });
      if (opened.reader.seal === "mismatched")
        session.output.note(
          `warning EMB_SEAL_MISMATCH reading ${address.namespace} under another seal, because strict mode is off: 1 answer`,
        );
      const answer = await opened.search(
        { text: options.text, topK, exact: options.exact },
        { signal: session.signal },
      );
      session.output.document(answerDocument(answer, opened.reader.record.seal));
      for (const [place, hit] of answer.hits.entries()) {
        const heading = hit.headingPath === "" ? "" : `  ${paint(session.output, "dim", hit.headingPath)}`;
        session.output.line(
          `${String(place + 1).padStart(2)}  ${hit.score.toFixed(4)}  ${paint(session.output, "bold", hit.documentId)}${heading}`,
        );
        session.output.line(`    ${hit.text.replaceAll(/\s+/g, " ").slice(0, 160)}`);
      }
      return 0;
    } finally {
      await provider.close();
    }
  });
};
