import { existsSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { EmbError } from "@emb/manifest";
import { withStore } from "@emb/query";
import { paint, table } from "../output.js";
import { duration } from "../progress.js";
import { captureDocument } from "../quickstart/captured-output.js";
import { writeConfigFolder } from "../quickstart/config-folder.js";
import { writeQuestionFolder } from "../quickstart/question-folder.js";
import { readJudgedQuestions, titleQuestions, type Question } from "../quickstart/questions.js";
import { readSettings } from "../read-settings.js";
import { reportError } from "../report-error.js";
import type { Command, Session } from "../session.js";
import { compareCommand } from "./compare.js";
import { gate } from "./gate.js";
import { reingestCommand } from "./reingest.js";
import { rollback } from "./rollback.js";
import { search } from "./search.js";
import { verifyNamespaceCommand } from "./verify-namespace.js";

const BASELINE = "use_lite";
const CANDIDATE = "st_minilm";
const BASE = "handbook";
/** Questions whose answers are shown and compared byte for byte. */
const SHOWN = 3;
const MOST_QUESTIONS = 40;
/** Exit codes of GO, NO-GO and INCONCLUSIVE. */
const VERDICT_CODES: ReadonlySet<number> = new Set([0, 1, 3]);

export interface QuickstartOptions {
  readonly dir?: string;
  readonly source?: string;
}

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly seen: string;
  readonly action: string;
  readonly seconds: number;
}

/**
 * The whole story on an embedded database with two real models: baseline, refusal, experiment, re-ingest beside it, verification, verdict and
 * report, rollback. Every step is the real command, run in this process with the environment that is printed. Exit 1 when a step did not hold.
 */
export const quickstart: Command<QuickstartOptions> = async (outer, options) => {
  const dir =
    options.dir === undefined ? await mkdtemp(join(tmpdir(), "emb-quickstart-")) : resolve(outer.cwd, options.dir);
  await mkdir(dir, { recursive: true });
  const handbook = options.source === undefined ? findHandbook() : null;
  const source = handbook === null ? resolve(outer.cwd, options.source ?? ".") : join(handbook, "documents");
  const story = createStory(outer, {
    ENV: "staging",
    EMB_CONFIG_DIR: await writeConfigFolder(dir),
    EMB_DATA_DIR: join(dir, "data"),
  });
  const { output } = outer;

  output.line(`Working in ${dir}, on an embedded PostgreSQL, with two real models.`);

  await story.step("baseline", "emb gate", {}, async (session) => {
    const code = await gate(session, {});
    return { ok: code === 0, seen: `staging runs ${BASELINE}` };
  });
  await story.step("fill the baseline", `emb reingest --to ${BASELINE} --source ${source} --yes`, {}, async (session) =>
    fill(session, BASELINE, source),
  );

  const ask = async (session: Session): Promise<Question[]> =>
    handbook === null
      ? withStore(readSettings(session), (store) => titleQuestions(store, BASE, MOST_QUESTIONS))
      : readJudgedQuestions(handbook);
  let questions: Question[] = [];
  let firstAnswers: string[] = [];
  await story.step("answer questions", 'emb search "..." --top-k 3', {}, async (session) => {
    questions = await ask(session);
    firstAnswers = await answer(session, questions.slice(0, SHOWN), true);
    return { ok: firstAnswers.length > 0, seen: `${firstAnswers.length} answered by ${BASELINE}` };
  });

  const override = { EMBEDDINGS_PROFILE: CANDIDATE };
  await story.step(
    "refuse a silent swap",
    `EMBEDDINGS_PROFILE=${CANDIDATE} emb search "..."`,
    override,
    async (session) => {
      const error: unknown = await search(session, { text: "x", exact: false }).then(
        () => null,
        (refusal: unknown) => refusal,
      );
      if (error === null) return { ok: false, seen: `${CANDIDATE} was not refused` };
      const code = reportError(session.output, error, { verbose: false, interrupted: false });
      return { ok: code === 78, seen: `refused, exit code ${code}` };
    },
  );

  const experiment = { EMBEDDING_PROFILE_EXPERIMENT: CANDIDATE };
  await story.step(
    "fill the candidate beside it",
    `EMBEDDING_PROFILE_EXPERIMENT=${CANDIDATE} emb reingest --to ${CANDIDATE} --source ${source} --yes`,
    experiment,
    async (session) => fill(session, CANDIDATE, source),
  );
  for (const profile of [BASELINE, CANDIDATE])
    await story.step(`verify ${profile}`, `emb verify namespace --profile ${profile}`, {}, async (session) => {
      const { output: captured, document } = captureDocument(session.output, { notes: false });
      const code = await verifyNamespaceCommand({ ...session, output: captured }, { profile });
      const { found, expected, drift_pct } = Verified.parse(document());
      output.line(`${code === 0 ? "ok" : "not ok"}  ${found} of ${expected} chunks, drift ${drift_pct}%`);
      return { ok: code === 0, seen: `${found} of ${expected} chunks, drift ${drift_pct}%` };
    });

  const queries = handbook ?? (await writeQuestionFolder(dir, questions));
  const report = join(dir, "report.html");
  const summary = join(dir, "summary.md");
  let verdict = "none";
  await story.step(
    "decide",
    `emb compare --baseline ${BASELINE} --candidate ${CANDIDATE} --queries ${queries} --report ${report} --summary ${summary}`,
    {},
    async (session) => {
      let document: unknown;
      const kept = { ...session, output: { ...session.output, document: (value: unknown) => (document = value) } };
      const sides = { baseline: BASELINE, candidate: CANDIDATE, queries, ingest: false, asServed: false };
      const code = await compareCommand(kept, { ...sides, report, summary });
      const { verdict: kind, metrics } = Compared.parse(document);
      verdict = kind;
      const { baseline, candidate } = metrics["ndcg"] ?? { baseline: 0, candidate: 0 };
      const seen = `${kind}: nDCG@10 ${BASELINE} ${baseline.toFixed(3)}, ${CANDIDATE} ${candidate.toFixed(3)}`;
      return { ok: VERDICT_CODES.has(code), seen }; // whichever it is: the documents may be anybody's
    },
  );

  await story.step("roll back", `emb rollback --to ${BASELINE}`, {}, async (session) => {
    const { output: captured, document } = captureDocument(session.output, { notes: false });
    const code = await rollback({ ...session, output: captured }, { to: BASELINE, acceptStale: false, wait: false });
    const { texts_embedded } = RolledBack.parse(document());
    output.line(`${BASELINE} can serve at once: its namespace was kept; texts embedded: ${texts_embedded}`);
    return { ok: code === 0 && texts_embedded === 0, seen: `${texts_embedded} texts embedded` };
  });
  await story.step("the first answers again", 'emb search "..." --top-k 3', {}, async (session) => {
    const again = await answer(session, questions.slice(0, SHOWN), false);
    const same = again.length === firstAnswers.length && again.every((text, place) => text === firstAnswers[place]);
    output.line(same ? `${again.length} answers, byte for byte the same` : "the answers differ");
    return { ok: same, seen: same ? `${again.length} answers, byte for byte` : "different answers" };
  });

  return story.end(dir, { verdict, report, summary });
};

const Verified = z.object({ found: z.number(), expected: z.number(), drift_pct: z.number() });
const Compared = z.object({
  verdict: z.string(),
  metrics: z.record(z.string(), z.object({ baseline: z.number(), candidate: z.number() })),
});
const RolledBack = z.object({ texts_embedded: z.number() });
const Reingested = z.object({
  state: z.string(),
  namespace: z.string(),
  documents: z.number(),
  chunks: z.object({ total: z.number(), embedded: z.number() }),
  seconds: z.number(),
});
const Answered = z.object({
  results: z.array(z.object({ document_id: z.string(), score: z.number(), text: z.string() })),
});

/** Runs the steps one after another, each under its heading, and keeps what they saw. A step that fails is shown and the rest goes on. */
function createStory(outer: Session, env: Readonly<Record<string, string>>) {
  const steps: Step[] = [];
  const { output } = outer;
  const startMs = outer.nowMs();
  // What is set around the quickstart must not leak into its story.
  const inherited = Object.fromEntries(
    Object.entries(outer.env).filter(([name]) => !/^(EMB|DATABASE_URL|QDRANT|NODE_ENV|ENV$)/.test(name)),
  );
  return {
    async step(
      name: string,
      action: string,
      more: Readonly<Record<string, string>>,
      run: (session: Session) => Promise<{ ok: boolean; seen: string }>,
    ): Promise<void> {
      outer.signal.throwIfAborted();
      output.line();
      output.line(paint(output, "bold", `${steps.length + 1}. ${name}`));
      output.line(paint(output, "dim", `$ ENV=staging ${action}`));
      const stepMs = outer.nowMs();
      const result = await run({
        ...outer,
        output: { ...output, document: () => {} },
        env: { ...inherited, ...env, ...more },
      });
      steps.push({ name, action: `ENV=staging ${action}`, ...result, seconds: (outer.nowMs() - stepMs) / 1000 });
    },
    end(dir: string, decided: { verdict: string; report: string; summary: string }): number {
      const ok = steps.every((step) => step.ok);
      const seconds = (outer.nowMs() - startMs) / 1000;
      output.document({ ok, dir, seconds, ...decided, steps });
      output.line();
      const rows = steps.map((step) => [step.ok ? "ok" : "FAIL", step.name, `${step.seconds.toFixed(1)}s`, step.seen]);
      for (const line of table(["", "step", "time", "seen"], rows)) output.line(line);
      output.line();
      output.line(
        `${ok ? "All steps held" : "A step did not hold"}, in ${duration(seconds)}. Everything is in ${dir}: delete it when you are done.`,
      );
      output.line();
      output.line(paint(output, "bold", `Verdict: ${decided.verdict} for ${CANDIDATE} in place of ${BASELINE}`));
      output.line(`The report, for a browser: ${decided.report}`);
      return ok ? 0 : 1;
    },
  };
}

async function fill(session: Session, to: string, source: string): Promise<{ ok: boolean; seen: string }> {
  const { output, document } = captureDocument(session.output, { notes: true });
  const code = await reingestCommand({ ...session, output }, { to, source, yes: true, dryRun: false });
  const { namespace, state, documents, chunks, seconds } = Reingested.parse(document());
  const seen = `${namespace} ${state}: ${documents} documents, ${chunks.total} chunks, ${chunks.embedded} embedded`;
  session.output.line(`${seen}, ${seconds.toFixed(1)}s`);
  return { ok: code === 0, seen };
}

/** The answers of the active profile, each as the JSON that the command prints. */
async function answer(session: Session, questions: readonly Question[], show: boolean): Promise<string[]> {
  const answers: string[] = [];
  for (const { text } of questions) {
    const { output, document } = captureDocument(session.output, { notes: false });
    await search({ ...session, output }, { text, topK: "3", exact: false });
    answers.push(
      JSON.stringify(document(), (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
    );
    const [first] = Answered.parse(document()).results;
    if (!show) continue;
    session.output.line(`Q  ${text}`);
    session.output.line(
      `A  ${first === undefined ? "(nothing)" : `${first.document_id}  ${first.score.toFixed(3)}  ${excerpt(first.text)}`}`,
    );
  }
  return answers;
}

const excerpt = (text: string) => text.replaceAll(/\s+/g, " ").slice(0, 90);

/** The handbook beside this checkout. @throws EmbError EMB_SOURCE_MISSING when the command was installed without it */
function findHandbook(): string {
  const folder = fileURLToPath(new URL("../../../examples/handbook", import.meta.url));
  if (existsSync(join(folder, "documents"))) return folder;
  throw new EmbError("EMB_SOURCE_MISSING", "the handbook of the quickstart is not beside this command", {
    hint: "Give it your own documents: emb quickstart --source ./docs",
  });
}
