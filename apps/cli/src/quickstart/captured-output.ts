import type { Output } from "../output.js";

/** An output whose document is kept instead of printed; notes go where the outer ones go, or nowhere. */
export function captureDocument(
  outer: Output,
  options: { notes: boolean },
): { output: Output; document: () => unknown } {
  let kept: unknown;
  const quiet = { note: () => {}, raw: () => {} };
  const output: Output = {
    ...outer,
    ...(options.notes ? {} : quiet),
    json: true,
    interactive: false,
    line: () => {},
    document: (value) => {
      kept = value;
    },
  };
  return { output, document: () => kept };
}
