import type { Output } from "./output.js";

/** An output that keeps what was written, without colours. */
export function recordOutput(setup: { redraw?: boolean; columns?: number } = {}) {
  const notes: string[] = [];
  const raws: string[] = [];
  const documents: unknown[] = [];
  const output: Output = {
    json: false,
    interactive: false,
    redraw: setup.redraw ?? false,
    color: false,
    columns: setup.columns ?? 80,
    line: () => {},
    document: (value) => void documents.push(value),
    note: (text) => void notes.push(text),
    raw: (text) => void raws.push(text),
    confirm: () => Promise.resolve(false),
  };
  return { output, notes, raws, documents };
}
