import { EmbError } from "@emb/manifest";
import type { Output } from "./output.js";

/**
 * Before anything is opened: where --yes is needed and nobody can be asked.
 * @throws EmbError EMB_CONSENT_REQUIRED
 */
export function requireConsent(
  { output }: { output: Pick<Output, "interactive"> },
  { yes, what }: { yes: boolean; what: string },
): void {
  if (!yes && !output.interactive) throw nobodyToAsk(what);
}

/**
 * Goes on only with --yes, or an answer on a terminal.
 * @param ask.what what the command does, as in "reingest writes to the database"
 * @throws EmbError EMB_CONSENT_REQUIRED
 */
export async function consent(
  { output }: { output: Output },
  { yes, what, question }: { yes: boolean; what: string; question: string },
): Promise<void> {
  if (yes) return;
  requireConsent({ output }, { yes, what });
  if (!/^y(es)?$/i.test((await output.ask(`${question} [y/N]`)).trim()))
    throw new EmbError("EMB_CONSENT_REQUIRED", "not confirmed, nothing was done", { hint: "Answer y, or add --yes." });
}

/**
 * As `consent`, for what cannot be undone: the name itself is to be typed.
 * @throws EmbError EMB_CONSENT_REQUIRED
 */
export async function typedConsent(
  { output }: { output: Output },
  { yes, what, question, name }: { yes: boolean; what: string; question: string; name: string },
): Promise<void> {
  if (yes) return;
  requireConsent({ output }, { yes, what });
  if ((await output.ask(question)).trim() !== name)
    throw new EmbError("EMB_CONSENT_REQUIRED", "another name was typed, nothing was done", {
      hint: `Type ${name}, or add --yes.`,
    });
}

const nobodyToAsk = (what: string): EmbError =>
  new EmbError("EMB_CONSENT_REQUIRED", `${what}: expected --yes where nobody can be asked`, { hint: "Add --yes." });
