import { profileMatrix } from "@emb/providers";
import { readSettings } from "../read-settings.js";
import { table } from "../output.js";
import type { Command } from "../session.js";

/** Prints the profile matrix. Spends nothing and asks no provider. */
export const verifyProviders: Command<object> = async (session) => {
  const settings = readSettings(session);
  const rows = profileMatrix(settings.manifest.profiles.values(), session.env);
  session.output.document({ profiles: rows });
  const head = ["profile", "provider", "model", "dims", "similarity", "tokenizer", "capabilities", "missing"];
  const cells = rows.map((row) => [
    row.name === settings.active?.name ? `${row.name} *` : row.name,
    row.provider,
    row.model,
    String(row.dims),
    row.similarity,
    row.tokenizer,
    row.capabilities.join(","),
    row.missing.join(",") || "-",
  ]);
  for (const line of table(head, cells)) session.output.line(line);
  session.output.line(`* active in environment ${settings.environment}`);
  return 0;
};
