import type { StoredAuditRow } from "@emb/store";
import { withStore } from "@emb/query";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";

const PAGE = 1000;

/**
 * Every row as it is stored, oldest first, one JSON object a line: {sequence, entry, hash}. Kept elsewhere it can be verified without this database:
 * each hash is SHA-256 over the hash before (64 zeros at first), a line feed and `entry`. With --json the same rows in one document.
 */
export const auditExport: Command<object> = async (session) => {
  const { output } = session;
  return withStore(readSettings(session), async ({ audit }) => {
    const entries: StoredAuditRow[] = [];
    let last: StoredAuditRow | undefined;
    for (;;) {
      const page = await audit.read({ after: last?.sequence ?? 0, limit: PAGE });
      for (const row of page) {
        output.line(JSON.stringify(row));
        if (output.json) entries.push(row);
        last = row;
      }
      if (page.length < PAGE) break;
    }
    const { rows, head } = await audit.head();
    output.document({ rows, head, entries });
    output.note(
      `${rows} rows, head ${head}: emb audit verify --expect-head ${head} proves later that none was changed or cut off`,
    );
    return 0;
  });
};
