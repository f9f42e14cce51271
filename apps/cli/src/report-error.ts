import { EmbError, ERROR_CODES, isEmbError, type Problem } from "@emb/manifest";
import { paint, type Output } from "./output.js";

/**
 * Shows an error: code, what was expected and seen, one action; every problem when there are several.
 * @param options.interrupted the operator asked the process to stop, so that an error of no code is the stopping itself
 * @returns the exit code
 */
export function reportError(
  output: Output,
  error: unknown,
  { verbose, interrupted }: { verbose: boolean; interrupted: boolean },
): number {
  const known = isEmbError(error) ? error : interrupted ? stopped(error) : unexpected(error);
  const problems: readonly Problem[] =
    known.problems.length > 0 ? known.problems : [{ code: known.code, message: known.message, hint: known.hint }];
  for (const problem of problems) {
    output.note(
      `${paint(output, "red", "error")} ${paint(output, "bold", problem.code)} ${place(problem)}${problem.message}`,
    );
    output.note(`  ${paint(output, "cyan", "->")} ${problem.hint}`);
  }
  if (verbose) for (const stack of stacks(error)) output.note(paint(output, "dim", stack));
  output.document({
    ok: false,
    code: known.code,
    error: { code: known.code, message: known.message, hint: known.hint, context: known.context },
    errors: problems,
  });
  return known.exitCode;
}

/** Of the error and of what caused it. */
function stacks(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const found = [error.stack ?? error.message];
  for (let { cause } = error; cause instanceof Error; { cause } = cause)
    found.push(`caused by ${cause.stack ?? cause.message}`);
  return found;
}

/** The message of a variable's problem begins with its name. */
const place = ({ file, line, column }: Problem): string =>
  file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}:${column ?? 1}`}: `;

const stopped = (cause: unknown): EmbError =>
  new EmbError("EMB_INTERRUPTED", "interrupted before the end; what was committed is kept", {
    hint: "Run the same command again.",
    cause,
  });

/** Anything else than an EmbError is a bug of ours, or the machine: its own words are shown, its stack only with --verbose. */
const unexpected = (error: unknown): EmbError => {
  const full = error instanceof Error && "code" in error && error.code === "ENOSPC";
  const code = full ? "EMB_STORE_FULL" : "EMB_INTERNAL";
  const message = error instanceof Error ? error.message : String(error);
  return new EmbError(code, message, {
    hint: full
      ? "Free disk space; the same command goes on where it stopped."
      : "Run it again with --verbose and report what it prints.",
    cause: error,
    context: { exit: ERROR_CODES[code].exit },
  });
};

/** What the command line's parser says of a wrong one, as an error with a code and one action. */
export function usageError(parserMessage: string, command: string): EmbError {
  const [first = "", suggestion] = parserMessage.replace(/^error: /, "").split("\n");
  const near = suggestion === undefined ? null : /^\((.+)\)$/.exec(suggestion)?.[1];
  return new EmbError("EMB_USAGE", `${command}: ${first}`, { hint: near ?? `${command} --help shows what it takes.` });
}
