import { withStore } from "@emb/query";
import { table } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";
import { wholeNumber } from "../whole-number.js";

const ROWS_SHOWN = 50;

/** The newest decisions: what, who, when, of what. It verifies nothing: `emb audit verify` does. */
export const auditList: Command<{ limit?: string; action?: string }> = async (session, options) => {
  const { output } = session;
  const limit = options.limit === undefined ? ROWS_SHOWN : wholeNumber("--limit", options.limit);
  return withStore(readSettings(session), async ({ audit }) => {
    const listed = await audit.list({ limit, ...(options.action !== undefined && { action: options.action }) });
    const { rows, head } = await audit.head();
    output.document({
      rows,
      head,
      entries: listed.map(({ sequence, at, action, actor, detail, hash }) => ({
        sequence,
        at: at.toISOString(),
        action,
        actor,
        detail,
        hash,
      })),
    });
    const cells = listed.map(({ sequence, at, action, actor, detail }) => [
      String(sequence),
      at.toISOString(),
      action,
      actor,
      Object.entries(detail)
        .filter(([, value]) => value !== null && value !== "")
        .map(([name, value]) => `${name}=${value}`)
        .join(" "),
    ]);
    for (const line of table(["row", "at", "action", "actor", "detail"], cells)) output.line(line);
    output.line(`${listed.length} of ${rows} rows, head ${head}`);
    return 0;
  });
};
