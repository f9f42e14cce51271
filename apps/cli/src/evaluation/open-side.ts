import { basename, resolve } from "node:path";
import type { Settings } from "@emb/config";
import { parseTrecRun, type ScoredDocument } from "@emb/eval";
import { targetAddress } from "@emb/ingest";
import { createModel } from "@emb/ingest-worker";
import { EmbError, isEmbError } from "@emb/manifest";
import { findProfile } from "@emb/query";
import { openSearch, type Search } from "@emb/search";
import type { Store, VerdictSide } from "@emb/store";
import type { Session } from "../session.js";
import { readInput } from "./query-folder.js";

/** What `--baseline` or `--candidate` names: a profile whose namespace is asked, or a run that was written before. */
export type OpenedSide =
  | {
      readonly kind: "profile";
      readonly is: VerdictSide;
      readonly search: Search;
      readonly pricePerMillionTokens: number | null;
      close(): Promise<void>;
    }
  | {
      readonly kind: "run";
      readonly is: VerdictSide;
      readonly rankings: ReadonlyMap<string, readonly ScoredDocument[]>;
      /** Hex SHA-256 of the file. */
      readonly hash: string;
      close(): Promise<void>;
    };

const RUN = "run:";

/** The profile that a side names; null for a run file, `run:FILE`. */
export const profileOf = (name: string): string | null => (name.startsWith(RUN) ? null : name);

/**
 * Opens a side: a profile's namespace through its seal and witness, or a run file. No gate is asked: nothing serves and nothing is filled.
 * @throws EmbError EMB_NAMESPACE_NOT_FOUND naming the command that makes it, EMB_NAMESPACE_NOT_READY, EMB_SEAL_MISMATCH, EMB_WITNESS_FAILED,
 *   EMB_PROFILE_UNKNOWN, EMB_REQUIREMENT_MISSING, EMB_QUERIES_INVALID
 */
export async function openSide(
  session: Session,
  {
    settings,
    store,
    base,
    name,
    ingest,
  }: { settings: Settings; store: Store; base: string; name: string; ingest: string | null },
): Promise<OpenedSide> {
  if (profileOf(name) === null) return openRun(resolve(session.cwd, name.slice(RUN.length)));
  const profile = findProfile(settings, name);
  const { provider } = await createModel(settings, session.env, profile, { http: {} }); // times and errors as one who waits sees them
  try {
    const address = targetAddress({ base, mode: settings.namespaceMode, provider, store });
    const search = await openSearch({
      namespaces: store.namespaces,
      address,
      provider,
      strict: true,
      signal: session.signal,
    });
    const { fingerprint } = search.reader.record.seal;
    return {
      kind: "profile",
      is: { profile: name, namespace: address.namespace, fingerprint },
      search,
      pricePerMillionTokens: profile.pricePerMillionTokens,
      close: () => provider.close(),
    };
  } catch (error) {
    await provider.close();
    throw isEmbError(error, "EMB_NAMESPACE_NOT_FOUND") ? missing(error, { name, base, ingest }) : error;
  }
}

async function openRun(path: string): Promise<OpenedSide> {
  const { text, hash } = await readInput(path);
  const { rankings } = parseTrecRun(text, path);
  return {
    kind: "run",
    is: { profile: `${RUN}${basename(path)}`, namespace: null, fingerprint: null },
    rankings,
    hash,
    close: async () => {},
  };
}

const missing = (
  cause: EmbError,
  { name, base, ingest }: { name: string; base: string; ingest: string | null },
): EmbError =>
  new EmbError("EMB_NAMESPACE_NOT_FOUND", cause.message, {
    hint: `Make it: emb reingest --to ${name} --source SOURCE --base ${base} --yes.${ingest === null ? "" : ` Or ${ingest}`}`,
    context: cause.context,
    cause,
  });
