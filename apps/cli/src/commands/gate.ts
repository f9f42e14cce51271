import * as z from "zod";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";

/** Prints the gate's decision for the active profile. Exit 78 when it is refused. */
export const gate: Command<object> = async (session) => {
  z.config({ jitless: true }); // compiling parsers for two small files costs more than it saves
  const settings = readSettings(session);
  const { gate: decision, environment, baseline, requested, warnings } = settings;
  const refused = decision.kind === "refused";
  session.output.document({
    environment,
    baseline,
    requested,
    active: refused ? null : decision.profile,
    decision: decision.kind,
    permitted_by: decision.kind === "override" ? decision.permittedBy : null,
    reason: decision.reason,
    code: refused ? decision.code : null,
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  });
  session.output.line(`${decision.kind}: ${decision.reason}`);
  if (refused) session.output.line(`-> ${decision.hint}`);
  return refused ? 78 : 0;
};
