import { writeFile } from "node:fs/promises";
import { outputFile } from "../evaluation/output-file.js";
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

/** Asked before the queries are. @throws EmbError EMB_USAGE for a file that cannot be written */
export async function prepareReport(cwd: string, { report, summary }: ReportFlags): Promise<ReportFiles> {
  return {
    report: await outputFile(cwd, "--report", report, "report.html"),
    summary: await outputFile(cwd, "--summary", summary, "report.md"),
  };
}

/** Writes what is wanted, over what is there. @returns the paths */
export async function writeReport(files: ReportFiles, content: ReportContent): Promise<ReportFiles> {
  if (files.report !== null) await writeFile(files.report, reportPage(content));
  if (files.summary !== null) await writeFile(files.summary, markdownSummary(content));
  return files;
}
