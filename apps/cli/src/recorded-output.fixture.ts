import type { Output } from "./output.js";

/** An output that keeps what was written, without colours. */
export function recordOutput(setup: { redraw?: boolean; columns?: number; answer?: string } = {}) {
  const notes: string[] = [];
  const raws: string[] = [];
  const documents: unknown[] = [];
  const output: Output = {
    json: false,
    interactive: setup.answer !== undefined,
    redraw: setup.redraw ?? false,
    color: false,
    columns: setup.columns ?? 80,
    line: () => {},
    document: (value) => void documents.push(value),
    note: (text) => void notes.push(text),
    raw: (text) => void raws.push(text),
    ask: (question) => {
      notes.push(question);
      return Promise.resolve(setup.answer ?? "");
    },
  };
  return { output, notes, raws, documents };
}
