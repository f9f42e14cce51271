import { isMap, parseDocument, type Document } from "yaml";

/** How an environment's file changes when a profile becomes its baseline. */
export interface LockIn {
  /** The whole file. */
  readonly text: string;
  /** The file's own lines that go and come, in their order. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

const PROFILE = ["embedding", "profile"];
const ADDRESS = ["embedding", "service_url"];

/**
 * Makes `to` the baseline in the text of an environment's file, which is valid. Comments are kept. `service_url` is the address of the profile beside
 * it, so it moves to `service_urls`, under the name of the profile that it belongs to.
 */
export function lockIn(before: string, { from, to }: { readonly from: string; readonly to: string }): LockIn {
  const document = parseDocument(before);
  if (document.getIn(PROFILE) === to) return { text: before, removed: [], added: [] };
  const address = document.getIn(ADDRESS);
  if (address !== undefined) {
    document.deleteIn(ADDRESS);
    setIn(document, ["embedding", "service_urls", from], address);
  }
  setIn(document, PROFILE, to);
  const text = document.toString({ lineWidth: 0 });
  return { text, ...changedLines(before, text) };
}

/** A key may be there without a value, as in `embedding:`; such a one becomes a map. */
function setIn(document: Document, path: readonly string[], value: unknown): void {
  for (let depth = 1; depth < path.length; depth++) {
    const above = path.slice(0, depth);
    if (!isMap(document.getIn(above, true))) document.setIn(above, document.createNode({}));
  }
  document.setIn(path, value);
}

function changedLines(before: string, after: string): Pick<LockIn, "removed" | "added"> {
  const old = before.trimEnd().split("\n");
  const young = after.trimEnd().split("\n");
  let start = 0;
  while (start < old.length && start < young.length && old[start] === young[start]) start++;
  let end = 0;
  const most = Math.min(old.length, young.length) - start;
  while (end < most && old.at(-1 - end) === young.at(-1 - end)) end++;
  return { removed: old.slice(start, old.length - end), added: young.slice(start, young.length - end) };
}
