import { EmbError, type Json } from "@emb/manifest";
import picomatch from "picomatch";
import type { Source, SourceItem } from "./source.js";

/** Holds for the items that are wanted. A metadata filter holds for what was set aside: nobody can tell. */
export type ScopeFilter = (item: SourceItem) => boolean;

/**
 * `path:GLOB` over document ids (`*`, `**`, `?`, `{a,b}`), or `metadata:KEY=VALUE` for a value that reads so as text or is in a list.
 * @throws EmbError EMB_USAGE
 */
export function parseScope(text: string): ScopeFilter {
  const [, kind, rest = ""] = /^(path|metadata):(.+)$/s.exec(text) ?? [];
  if (kind === "path") {
    const matches = picomatch(rest, { dot: true });
    return ({ id }) => matches(id);
  }
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(rest) ?? [];
  if (kind === "metadata" && key !== undefined && value !== undefined)
    return (item) =>
      item.kind === "set-aside" ||
      [item.metadata[key]].flat().some((one) => one !== undefined && readsAs(one) === value);
  throw new EmbError("EMB_USAGE", `scope "${text.slice(0, 80)}": expected path:GLOB or metadata:KEY=VALUE`, {
    hint: "For example --scope 'path:guides/**' or --scope metadata:lang=de.",
  });
}

const readsAs = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

/**
 * Only the documents for which every scope holds, and at most `limit` of them.
 * @throws EmbError EMB_USAGE for a scope that cannot be read
 */
export function scopeSource(
  source: Source,
  { scopes, limit }: { scopes: readonly string[]; limit: number | null },
): Source {
  if (scopes.length === 0 && limit === null) return source;
  const filters = scopes.map(parseScope);
  return {
    identity: source.identity,
    partial: [...scopes.map((scope) => `scope ${scope}`), ...(limit === null ? [] : [`limit ${limit}`])].join(", "),
    async *read(options) {
      let left = limit ?? Number.POSITIVE_INFINITY;
      if (left === 0) return;
      for await (const item of source.read(options)) {
        if (!filters.every((holds) => holds(item))) continue;
        yield item;
        if (item.kind === "document" && --left === 0) return;
      }
    },
  };
}
