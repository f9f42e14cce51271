import type { FilledBy } from "@emb/ingest";
import { EmbError } from "@emb/manifest";

/**
 * Who fills, by --workers. Pure.
 * @param place.shared more than one process may open the store
 * @throws EmbError EMB_USAGE
 */
export function decideFilledBy(asked: string | undefined, { shared }: { shared: boolean }): FilledBy {
  if (asked === undefined) return shared ? "both" : "local";
  if (asked === "local") return "local";
  if (asked !== "queue")
    throw new EmbError("EMB_USAGE", `--workers: expected local or queue, got "${asked.slice(0, 40)}"`, {
      hint: "Leave it out to fill here and in every worker.",
    });
  if (!shared)
    throw new EmbError("EMB_USAGE", "--workers queue: an embedded database has one process, which is this one", {
      hint: "Set DATABASE_URL to a PostgreSQL server, or leave --workers out.",
    });
  return "queue";
}
