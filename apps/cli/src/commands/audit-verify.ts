import { EmbError } from "@emb/manifest";
import { withStore } from "@emb/query";
import { readSettings } from "../read-settings.js";
import { paint } from "../output.js";
import type { Command } from "../session.js";

/** Recomputes the audit chain. Exit 1 when a row was changed, removed, reordered or cut off. @throws EmbError EMB_USAGE */
export const auditVerify: Command<{ expectHead?: string }> = async (session, { expectHead }) => {
  const { output } = session;
  if (expectHead !== undefined && !/^[0-9a-f]{64}$/.test(expectHead))
    throw new EmbError("EMB_USAGE", `--expect-head: expected 64 hexadecimal digits, got "${expectHead}"`, {
      hint: "Copy the whole head, as emb audit verify prints it.",
    });
  return withStore(readSettings(session), async (store) => {
    const { ok, rows, head, firstBad } = await store.audit.verify(expectHead);
    output.document({ ok, rows, head, first_bad: firstBad, ...(ok ? {} : { code: "EMB_AUDIT_BROKEN" }) });
    output.line(
      ok
        ? `${paint(output, "green", "ok")}  ${rows} rows, head ${head}`
        : `${paint(output, "red", "broken")}  EMB_AUDIT_BROKEN ${broken({ rows, head, firstBad, expectHead })}`,
    );
    return ok ? 0 : 1;
  });
};

/** What was expected and seen, and the way on. A first bad row behind the last one: the rows that led to the expected head are gone. */
function broken(seen: { rows: number; head: string; firstBad: number | null; expectHead: string | undefined }): string {
  const { rows, head, firstBad, expectHead } = seen;
  const what =
    expectHead !== undefined && firstBad !== null && firstBad > rows
      ? `expected a row with head ${expectHead}, seen ${rows} rows that follow from each other and none with it`
      : `first bad row: ${firstBad}`;
  return `${what}; ${rows} rows, head ${head}\n  -> Compare with the last known head and find out who wrote to the database.`;
}
