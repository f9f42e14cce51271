import { createProvider } from "@emb/providers";
import { successAtK } from "@emb/eval";
import { openSearch } from "@emb/search";
import type { Settings } from "@emb/config";
import { namespaceName } from "@emb/manifest";
import { findProfile } from "@emb/query";
import type { Store } from "@emb/store";
import type { Session } from "../session.js";
import type { Question } from "./questions.js";

const TOP = 3;
/** Chunks asked for, so that three different documents are among them even when one has several good chunks. */
const CHUNKS = 20;

export interface Score {
  /** Questions whose first document is a right one. */
  readonly first: number;
  /** Questions with a right document among the first three. */
  readonly topThree: number;
  /** First document of each question, in order of the questions. */
  readonly best: readonly string[];
}

/** Asks every question of one profile's namespace. Whether the profile may be used is the gate's business, asked by the caller. */
export async function scoreProfile(
  session: Session,
  settings: Settings,
  store: Store,
  profileName: string,
  questions: readonly Question[],
): Promise<Score> {
  const profile = findProfile(settings, profileName);
  const { dataDir, modelsDir } = settings.paths;
  const provider = await createProvider(profile, { env: session.env, dataDir, modelsDir: modelsDir ?? undefined });
  try {
    const mode = settings.namespaceMode;
    const base = settings.store.baseNamespace;
    const address = {
      ...namespaceName({ base, profile, mode, maxLength: store.capabilities.maxNamespaceBytes }),
      mode,
    };
    const { signal } = session;
    const search = await openSearch({ namespaces: store.namespaces, address, provider, strict: true, signal });
    const best: string[] = [];
    let first = 0;
    let topThree = 0;
    for (const { text, answers } of questions) {
      const { hits } = await search.search({ text, topK: CHUNKS }, { signal });
      const ranked = hits.map(({ documentId }) => documentId);
      const grades = new Map([...answers].map((id) => [id, 1]));
      best.push(ranked[0] ?? "(nothing)");
      first += successAtK(ranked, grades, 1);
      topThree += successAtK(ranked, grades, TOP);
    }
    return { first, topThree, best };
  } finally {
    await provider.close();
  }
}
