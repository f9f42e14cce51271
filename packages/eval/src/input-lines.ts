import { EmbError, type Problem } from "@emb/manifest";

/** A line of an input file that says something. `number` counts from 1. */
export interface InputLine {
  readonly number: number;
  readonly text: string;
}

/** Lines with something on them; a byte-order mark and carriage returns are no part of them. */
export function* inputLines(content: string): Generator<InputLine> {
  let number = 0;
  for (const line of content.replace(/^\uFEFF/, "").split("\n")) {
    number++;
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text.trim() !== "") yield { number, text };
  }
}

/** Errors are told at once up to here, so that a file of another kind does not fill the screen. */
const MOST_PROBLEMS = 20;

/** What is wrong with the lines of one file. Never quotes a line: it may hold a user's text. */
export class LineProblems {
  readonly #file: string;
  readonly #problems: Problem[] = [];
  #more = 0;

  constructor(file: string) {
    this.#file = file;
  }

  add(line: number, message: string, hint: string): void {
    if (this.#problems.length === MOST_PROBLEMS) this.#more++;
    else this.#problems.push({ code: "EMB_QUERIES_INVALID", message, hint, file: this.#file, line });
  }

  /** @throws EmbError EMB_QUERIES_INVALID with file and line of each, when there is any */
  throwIfAny(): void {
    const [first] = this.#problems;
    if (first === undefined) return;
    const more = this.#more === 0 ? "" : `, and ${this.#more} more`;
    throw new EmbError("EMB_QUERIES_INVALID", `${this.#file}:${first.line}: ${first.message}${more}`, {
      hint: first.hint,
      problems: this.#problems,
    });
  }
}

/** @throws EmbError EMB_QUERIES_INVALID, always */
export function emptyInput(file: string, what: string): never {
  throw new EmbError("EMB_QUERIES_INVALID", `${file}: expected ${what}, found none`, {
    hint: "Check that the file is the one you mean.",
  });
}
