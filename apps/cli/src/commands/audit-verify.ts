import { readSettings } from "../read-settings.js";
import { withStore } from "@emb/query";
import { paint } from "../output.js";
import type { Command } from "../session.js";

/** Recomputes the audit chain. Exit 1 when a row was changed, removed, reordered or cut off. */
export const auditVerify: Command<{ expectHead?: string }> = async (session, { expectHead }) => {
  const { output } = session;
  return withStore(readSettings(session), async (store) => {
    const { ok, rows, head, firstBad } = await store.audit.verify(expectHead);
    output.document({ ok, rows, head, first_bad: firstBad, ...(ok ? {} : { code: "EMB_AUDIT_BROKEN" }) });
    output.line(
      ok
        ? `${paint(output, "green", "ok")}  ${rows} rows, head ${head}`
        : `${paint(output, "red", "broken")}  EMB_AUDIT_BROKEN first bad row: ${firstBad ?? "cut off at the end"}; ${rows} rows, head ${head}`,
    );
    return ok ? 0 : 1;
  });
};
