import { EmbError } from "@emb/manifest";

export const unknownRun = (id: string) =>
  new EmbError("EMB_USAGE", `there is no run "${id}"`, { hint: "`emb status` lists them.", context: { runId: id } });
