import { cellName, type NamedCell } from "./cell.js";

export interface CellRow {
  readonly cell: NamedCell;
  /** null: it ran. */
  readonly skipped: string | null;
  readonly documents: number | null;
  readonly chunks: number | null;
  readonly seconds: number | null;
  readonly result: string;
}

/** A cell while it runs. */
export interface CellEntry {
  /** Names what is tried next, so that a failure says where it stopped. */
  step(name: string): void;
  filled(documents: number, chunks: number): void;
}

/** What became of each cell, in the order they were met. */
export class MatrixReport {
  readonly #rows: CellRow[] = [];

  get rows(): readonly CellRow[] {
    return this.#rows;
  }

  /** Names of the cells that ran, whether they passed or not. */
  get ran(): ReadonlySet<string> {
    return new Set(this.#rows.filter(({ skipped }) => skipped === null).map(({ cell }) => cellName(cell)));
  }

  skip(cell: NamedCell, reason: string): void {
    this.#rows.push({ cell, skipped: reason, documents: null, chunks: null, seconds: null, result: "" });
  }

  async run(cell: NamedCell, work: (entry: CellEntry) => Promise<void>): Promise<void> {
    const startMs = performance.now();
    let step = "start";
    let filled: { documents: number | null; chunks: number | null } = { documents: null, chunks: null };
    const end = (result: string) =>
      this.#rows.push({ cell, skipped: null, ...filled, seconds: (performance.now() - startMs) / 1000, result });
    try {
      await work({
        step: (name) => void (step = name),
        filled: (documents, chunks) => void (filled = { documents, chunks }),
      });
      end("ok");
    } catch (error) {
      end(`FAILED at ${step}`);
      throw error;
    }
  }
}

const HEAD = ["profile", "store", "mode", "ran", "documents", "chunks", "seconds", "result"];
const NUMBERS = new Set(["documents", "chunks", "seconds"]);

const numberText = (value: number | null, digits: number): string => value?.toFixed(digits) ?? "-";

const columnsOf = ({ cell, skipped, documents, chunks, seconds, result }: CellRow): readonly string[] => [
  cell.profile.name,
  cell.store,
  cell.mode,
  skipped === null ? "ran" : "skipped",
  numberText(documents, 0),
  numberText(chunks, 0),
  numberText(seconds, 1),
  skipped ?? result,
];

/** The table as lines, with a line of sums. */
export function renderMatrix(rows: readonly CellRow[]): string {
  const table = [HEAD, ...rows.map(columnsOf)];
  const widths = HEAD.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const pad = (value: string, column: number) =>
    NUMBERS.has(HEAD[column]!) ? value.padStart(widths[column]!) : value.padEnd(widths[column]!);
  const lines = table.map((row) => row.map(pad).join("  ").trimEnd());

  const ran = rows.filter(({ skipped }) => skipped === null);
  const failed = ran.filter(({ result }) => result !== "ok").length;
  const seconds = ran.reduce((sum, row) => sum + (row.seconds ?? 0), 0);
  const sums = `${rows.length} cells: ${ran.length} ran, ${failed} of them failed, ${rows.length - ran.length} skipped; ${seconds.toFixed(1)} s`;
  return [...lines, sums].join("\n");
}
