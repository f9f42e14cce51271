import { createHash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { readDocumentFile, systemCode, unreadable } from "./document-file.js";
import {
  cleanText,
  decodeUtf8,
  documentIdFlaw,
  isRefusal,
  MAX_DOCUMENT_ID_BYTES,
  type Refusal,
} from "./document-text.js";
import { readMarkdownFile } from "./front-matter.js";
import { sourceError } from "./source-error.js";
import type { SetAside, Source, SourceItem } from "./source.js";

const DOCUMENT_NAME = /\.(?:md|markdown|txt)$/i;
const isSkipped = (name: string): boolean => name.startsWith(".") || name === "node_modules";

/** A folder as ids see it. Two folders whose names differ only in Unicode form are one: then it has several paths. */
interface Folder {
  /** "" for the root, else with a slash at its end. */
  readonly id: string;
  readonly places: readonly Place[];
}

interface Place {
  readonly path: string;
  /** Relative to the root as the file system spells it; "" for the root, else with a slash at its end when a folder. */
  readonly spelling: string;
  /** Behind a link to a folder: no further one is followed. */
  readonly linked: boolean;
}

/** `spelling` is relative to the root, as the file system has it. */
type Entry = { readonly name: string; readonly spelling: string } & (
  | ({ readonly kind: "folder" | "file" } & Place)
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly hidesIds: boolean }
);

/**
 * Markdown (.md, .markdown) and text (.txt) files below a folder, in bytewise order of their ids. Names that start with a dot and
 * node_modules are skipped. A link is followed when it stays below the root: a link to a file is a document of its own; behind a link to a folder no
 * further link to a folder is followed, and none to a folder above itself, so that nothing is read without end. `root` is a real path.
 */
export function createFolderSource(root: string, { maxDocumentBytes }: { maxDocumentBytes: number }): Source {
  return {
    identity: `folder:${root}`,
    read: ({ signal }) =>
      readFolder(root, { id: "", places: [{ path: root, spelling: "", linked: false }] }, maxDocumentBytes, signal),
  };
}

async function* readFolder(
  root: string,
  folder: Folder,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<SourceItem> {
  signal.throwIfAborted();
  const entries: Entry[] = [];
  for (const place of folder.places) {
    const listed = await list(root, place, folder.id === "");
    if (isRefusal(listed)) yield setAside(folder.id.slice(0, -1), listed, true);
    else entries.push(...listed);
  }
  for (const { key, twins } of groupByName(entries)) {
    signal.throwIfAborted();
    const id = folder.id + key;
    const places = twins.filter(isFolder);
    if (places.length > 0) {
      yield* readFolder(root, { id, places }, maxBytes, signal);
      continue;
    }
    const first = twins.find((twin) => twin.spelling === id) ?? twins[0];
    yield first.kind === "refused"
      ? setAside(id, first.refusal, first.hidesIds)
      : await readDocument(id, first.path, maxBytes);
    for (const twin of twins) if (twin !== first) yield setAside(twin.spelling, TWIN, false);
  }
}

const TWIN: Refusal = {
  code: "EMB_DOCUMENT_INVALID",
  reason: "expected one file of this name, found a second that differs only in its Unicode form (NFC, NFD)",
};
const isFolder = (entry: Entry): entry is Entry & { kind: "folder" } => entry.kind === "folder";

/** Entries whose ids are the same, in bytewise order of ids. The slash sorts a folder where the ids of its documents belong. */
function groupByName(entries: readonly Entry[]): readonly { key: string; twins: readonly [Entry, ...Entry[]] }[] {
  const groups = new Map<string, [Entry, ...Entry[]]>();
  for (const entry of entries) {
    const key = entry.name.normalize("NFC") + (entry.kind === "folder" ? "/" : "");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return [...groups]
    .map(([key, twins]) => ({ key, twins, bytes: Buffer.from(key) }))
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes));
}

/** What a folder holds that concerns us, names in bytewise order. */
async function list(root: string, place: Place, isRoot: boolean): Promise<Entry[] | Refusal> {
  let listing;
  try {
    listing = await readdir(place.path, { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    if (isRoot) throw sourceError(place.path, error);
    return unreadable(error);
  }
  const entries: Entry[] = [];
  for (const dirent of listing.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
    const name = dirent.name.toString("utf8");
    const isDocument = DOCUMENT_NAME.test(name);
    if (isSkipped(name)) continue;
    if (!isUtf8(dirent.name)) {
      const isFolderName = dirent.isDirectory();
      if (isFolderName || isDocument)
        entries.push(refused(place, spellBytes(dirent.name), NOT_UTF8_NAME, isFolderName));
    } else if (dirent.isSymbolicLink()) {
      const entry = await follow(root, place, name);
      if (entry !== null) entries.push(entry);
    } else if (isDocument) {
      entries.push(
        dirent.isFile() ? { kind: "file", name, ...below(place, name) } : refused(place, name, NOT_A_FILE, false),
      );
    } else if (dirent.isDirectory()) {
      entries.push({ kind: "folder", name, ...below(place, name), spelling: `${place.spelling}${name}/` });
    }
  }
  return entries;
}

const below = ({ path, spelling, linked }: Place, name: string): Place => ({
  path: join(path, name),
  spelling: spelling + name,
  linked,
});
const refused = (place: Place, name: string, refusal: Refusal, hidesIds: boolean): Entry => ({
  kind: "refused",
  name,
  spelling: place.spelling + name,
  refusal,
  hidesIds,
});
const NOT_UTF8_NAME: Refusal = { code: "EMB_DOCUMENT_INVALID", reason: "expected a name in UTF-8, found other bytes" };
const spellBytes = (name: Buffer): string =>
  name.toString("latin1").replace(/[\x80-\xff]/g, (byte) => `%${Buffer.from(byte, "latin1").toString("hex")}`);

const NOT_A_FILE: Refusal = {
  code: "EMB_DOCUMENT_UNREADABLE",
  reason: "expected a file by its name, found a folder, pipe, socket or device",
};
const LEAVES_ROOT: Refusal = {
  code: "EMB_DOCUMENT_INVALID",
  reason: "expected a link that stays below the source's folder, found one that leaves it",
};

/** Null for a link that leads to nothing of ours. */
async function follow(root: string, place: Place, name: string): Promise<Entry | null> {
  const isDocument = DOCUMENT_NAME.test(name);
  try {
    const path = await realpath(join(place.path, name));
    const target = await stat(path);
    if (!isDocument && !target.isDirectory()) return null;
    if (!isWithin(path, root)) return refused(place, name, LEAVES_ROOT, false);
    const spelling = place.spelling + name;
    if (isDocument)
      return target.isFile()
        ? { kind: "file", name, path, spelling, linked: place.linked }
        : refused(place, name, NOT_A_FILE, false);
    return place.linked || isWithin(place.path, path)
      ? null
      : { kind: "folder", name, path, spelling: `${spelling}/`, linked: true };
  } catch (error) {
    // What a link led to below the root is read at its own path, so one that leads nowhere hides nothing.
    const leadsNowhere = ["ENOENT", "ELOOP"].includes(systemCode(error));
    return leadsNowhere && !isDocument ? null : refused(place, name, unreadable(error), !isDocument);
  }
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

async function readDocument(id: string, path: string, maxBytes: number): Promise<SourceItem> {
  const flaw = documentIdFlaw(id);
  if (flaw !== null) return setAside(id, { code: "EMB_DOCUMENT_INVALID", reason: flaw }, false);
  const file = await readDocumentFile(path, maxBytes);
  if (isRefusal(file)) return setAside(id, file, false);
  const decoded = decodeUtf8(file.bytes);
  if (isRefusal(decoded)) return setAside(id, decoded, false);
  const cleaned = cleanText(decoded.text, "text");
  if (isRefusal(cleaned)) return setAside(id, cleaned, false);
  return /\.txt$/i.test(id)
    ? { kind: "document", id, title: null, format: "text", text: cleaned.text, metadata: {}, version: null }
    : { kind: "document", id, format: "markdown", ...readMarkdownFile(cleaned.text), version: null };
}

const setAside = (id: string, { code, reason }: Refusal, hidesIds: boolean): SetAside => ({
  kind: "set-aside",
  id: placeOf(id),
  code,
  reason,
  hidesIds,
});

/** The id, or a shorter one that is as distinct. */
function placeOf(id: string): string {
  const bytes = Buffer.from(id);
  if (bytes.length <= MAX_DOCUMENT_ID_BYTES) return id;
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  return `${bytes
    .subarray(0, MAX_DOCUMENT_ID_BYTES - 32)
    .toString("utf8")
    .replace(/\ufffd+$/, "")}\u2026 (${hash})`;
}
