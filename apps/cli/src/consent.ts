import { EmbError } from "@emb/manifest";
import type { Session } from "./session.js";

/**
 * Goes on only with --yes, or an answer on a terminal.
 * @param ask.what what the command does, as in "reingest writes to the database"
 * @throws EmbError EMB_CONSENT_REQUIRED
 */
export async function consent(
  { output }: Session,
  { yes, what, question }: { yes: boolean; what: string; question: string },
): Promise<void> {
  if (yes) return;
  if (!output.interactive)
    throw new EmbError("EMB_CONSENT_REQUIRED", `${what}: expected --yes where nobody can be asked`, {
      hint: "Add --yes.",
    });
  if (!(await output.confirm(question)))
    throw new EmbError("EMB_CONSENT_REQUIRED", "not confirmed, nothing was done", { hint: "Answer y, or add --yes." });
}
