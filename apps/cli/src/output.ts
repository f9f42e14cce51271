/** Where a command writes. Results go to stdout, everything about the way there to stderr, so that --json leaves stdout to one document. */
export interface Output {
  readonly json: boolean;
  /** Both ends are a terminal and somebody can answer. */
  readonly interactive: boolean;
  /** stderr is a terminal: progress may redraw its line. */
  readonly redraw: boolean;
  readonly color: boolean;
  readonly columns: number;
  /** A line of the result, for people; nothing with --json. */
  line(text?: string): void;
  /** The one document of --json; nothing without. */
  document(value: unknown): void;
  /** A line on stderr. */
  note(text: string): void;
  /** Raw text on stderr, for progress that redraws. */
  raw(text: string): void;
  /** Asks on the terminal. @returns the line that was typed */
  ask(question: string): Promise<string>;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** The text in a colour, or as it is when colours are off. */
export const paint = (output: Pick<Output, "color">, style: keyof typeof CODES, text: string): string =>
  output.color ? `\u001B[${CODES[style]}m${text}\u001B[0m` : text;

/** Columns padded to their widest cell, two spaces apart; numbers are right-aligned when every cell of a column is one. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const numeric = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^[\d.,%-]+$/.test(row[column] ?? "")),
  );
  return all.map((row) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
}
