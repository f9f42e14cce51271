import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { LIVE_SOURCE, openDrain, readLiveDocument, showChange, type ShownChange } from "@emb/ingest";
import { createModel } from "@emb/ingest-worker";
import { EmbError } from "@emb/manifest";
import { findProfile, withStore } from "@emb/query";
import { paint } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command, Session } from "../session.js";
import { ownVersion } from "../own-version.js";

export interface PutOptions {
  /** A path, or `-` for standard input. */
  readonly file: string;
  readonly id: string;
  readonly version?: string;
  readonly title?: string;
  readonly metadata?: string;
  readonly format?: string;
  readonly base?: string;
}

/**
 * Stores one document and shows it in every namespace of its base whose provider answers; in the others it is queued. Not gated: it keeps what exists
 * fresh. Exit 1 when a provider refused texts of it.
 */
export const put: Command<PutOptions> = async (session, options) => {
  const { output, env, signal } = session;
  const settings = readSettings(session);
  const base = options.base ?? settings.store.baseNamespace;
  const given = ownVersion(options.version);
  const format = formatOf(options);
  const metadata = metadataOf(options.metadata);
  return withStore(settings, async (store) => {
    const version = given ?? (await store.documents.nextVersion()); // drawn before the file is read: a later change outranks it
    const maxBytes = settings.ingest.maxDocumentBytes;
    const bytes = await readBytes(session, options.file, maxBytes);
    const { id, title = null } = options;
    const document = readLiveDocument({ id, bytes, format, title, metadata, maxBytes });
    const stored = await store.documents.put({
      base,
      source: LIVE_SOURCE,
      document: { ...document, version, ownVersion: given !== null },
    });
    const shown = await showChange(store, { base, documentId: id, signal }, async (record, work) => {
      const profile = findProfile(settings, record.seal.profile);
      const model = await createModel(settings, env, profile, {
        pacer: store.rateLimits,
        http: {}, // somebody waits to hear whether it is shown
      });
      try {
        const { witnessMinCosine } = settings.verify;
        const { leaseMs } = settings.ingest;
        await work(await openDrain({ store, ...model, leaseMs, witnessMinCosine, signal }, record));
      } finally {
        await model.provider.close();
      }
    });
    const namespaces = shown.map(({ namespace, state, why }) => ({
      namespace,
      state: stored.state === "superseded" && state === "unchanged" ? "superseded" : state,
      ...(why && { code: why.code }),
    }));
    output.document({ document_id: id, version: Number(stored.version), state: stored.state, namespaces });
    output.line(`${stored.state}  ${id}, version ${stored.version}`);
    for (const row of namespaces) output.line(`  ${row.namespace}: ${row.state}`);
    for (const { namespace, why } of shown)
      if (why) output.note(`${namespace}: ${why.code} ${why.message}; the change waits there, and a worker brings it.`);
    if (shown.some(({ state }) => state === "set_aside"))
      output.line(paint(output, "red", "Texts that the provider refused are set aside: emb status names them."));
    return exitOf(shown);
  });
};

const exitOf = (shown: readonly ShownChange[]): number => (shown.some(({ state }) => state === "set_aside") ? 1 : 0);

function formatOf({ format, file }: PutOptions): "markdown" | "text" {
  if (format === "markdown" || format === "text") return format;
  if (format === undefined) return /\.(?:md|markdown)$/i.test(file) ? "markdown" : "text";
  throw new EmbError("EMB_USAGE", `--format: expected markdown or text, got ${JSON.stringify(format.slice(0, 40))}`, {
    hint: "Leave it out to go by the file's name.",
  });
}

function metadataOf(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new EmbError("EMB_USAGE", "--metadata: expected a JSON object, found text that is not JSON", {
      hint: `Quote it for the shell: --metadata '{"team": "support"}'.`,
    });
  }
}

/** At most one byte more than may be stored is kept. */
async function readBytes({ cwd, signal }: Session, file: string, maxBytes: number): Promise<Uint8Array> {
  const stream = file === "-" ? process.stdin : createReadStream(resolve(cwd, file), { signal });
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of stream as AsyncIterable<Uint8Array>) {
      parts.push(part);
      length += part.byteLength;
      if (length > maxBytes) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && "code" in error ? String(error.code) : "an unknown error";
    throw new EmbError("EMB_SOURCE_MISSING", `expected to read ${file}, the file system answered ${code}`, {
      hint: "Name a file, or - for standard input.",
      cause: error,
    });
  }
  return Buffer.concat(parts);
}
