import { writeFile } from "node:fs/promises";
import { evaluate, formatTrecRun } from "@emb/eval";
import { evaluationDocument } from "../evaluation/comparison-document.js";
import { evaluationLines } from "../evaluation/comparison-lines.js";
import { evaluationSettings } from "../evaluation/comparison-settings.js";
import { outputFile } from "../evaluation/output-file.js";
import { withQuerySides, type AskFlags } from "../evaluation/with-query-sides.js";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";
import { amountOfUsd } from "../usd.js";

export interface EvalOptions extends AskFlags {
  readonly profile: string;
  readonly k?: string;
  readonly alpha?: string;
  readonly seed?: string;
  readonly runFile?: string;
  readonly maxCostUsd?: string;
}

/** Documents of each query in a run file, as many as tools that read one look at. */
const RUN_DEPTH = 100;

/** How good a profile's answers to a set of queries are. Exit 0: nothing is compared. */
export const evalCommand: Command<EvalOptions> = async (session, options) => {
  const settings = readSettings(session);
  const { output } = session;
  const evaluation = evaluationSettings(options, settings.rollout);
  const runFile = await outputFile(session.cwd, "--run-file", options.runFile, "answers.run");
  const depth = runFile === null ? evaluation.k : Math.max(RUN_DEPTH, evaluation.k);
  const maxCostUsd = options.maxCostUsd === undefined ? null : amountOfUsd("--max-cost-usd", options.maxCostUsd);
  const { seed } = evaluation;
  const asking = { settings, names: [options.profile], flags: options, depth, seed, sliceBy: null, maxCostUsd };
  return withQuerySides(session, asking, async ({ set, sides }) => {
    const [side] = sides;
    const evaluated = evaluate(set, side!, evaluation);
    if (runFile !== null) {
      const rankings = set.queries.map(({ id }) => [id, side!.answers.get(id)?.documents ?? []] as const);
      await writeFile(runFile, formatTrecRun(rankings, side!.name));
    }
    output.document({
      ...evaluationDocument(evaluated, set.oddities, evaluation.k),
      run_file: options.runFile ?? null,
    });
    for (const line of evaluationLines(evaluated, set.oddities, evaluation.k)) output.line(line);
    return 0;
  });
};
