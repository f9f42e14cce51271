import { resolve } from "node:path";
import type { Settings } from "@emb/config";
import { openSource, type Source } from "@emb/ingest";
import type { Session } from "./session.js";

/** A source under the name that the command line gave it, so that the same command can be shown again. */
export interface NamedSource {
  readonly name: string;
  readonly opened: Source;
}

/** @throws EmbError EMB_SOURCE_MISSING, EMB_SOURCE_INVALID */
export async function openNamedSource({ cwd }: Session, settings: Settings, name: string): Promise<NamedSource> {
  const { maxDocumentBytes } = settings.ingest;
  return { name, opened: await openSource(resolve(cwd, name), { maxDocumentBytes }) };
}
