import { stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { EmbError } from "@emb/manifest";
import { markdownSummary } from "./markdown-summary.js";
import { reportPage } from "./page.js";
import type { ReportContent } from "./report-content.js";

/** Where a comparison is written, as the command line says it. */
export interface ReportFlags {
  readonly report?: string;
  readonly summary?: string;
}

/** Absolute paths; null: not wanted. */
export interface ReportFiles {
  readonly report: string | null;
  readonly summary: string | null;
}

/**
 * Asked before the queries are, so that nobody waits for a report that cannot be written.
 * @throws EmbError EMB_USAGE for a folder that is not there
 */
export async function prepareReport(cwd: string, { report, summary }: ReportFlags): Promise<ReportFiles> {
  return { report: await fileIn(cwd, "--report", report), summary: await fileIn(cwd, "--summary", summary) };
}

async function fileIn(cwd: string, flag: string, path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  const file = resolve(cwd, path);
  const [folder, there] = await Promise.all([stat(dirname(file)).catch(() => null), stat(file).catch(() => null)]);
  if (folder?.isDirectory() === true && there?.isDirectory() !== true) return file;
  throw new EmbError("EMB_USAGE", `${flag}: expected a file in a folder that is there, got "${path}"`, {
    hint: "Make the folder first, or name a file elsewhere.",
  });
}

/** Writes what is wanted, over what is there. @returns the paths */
export async function writeReport(files: ReportFiles, content: ReportContent): Promise<ReportFiles> {
  if (files.report !== null) await writeFile(files.report, reportPage(content));
  if (files.summary !== null) await writeFile(files.summary, markdownSummary(content));
  return files;
}
