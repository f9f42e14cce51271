import type { Progress } from "@emb/ingest";
import { paint, type Output } from "./output.js";

const REDRAW_EVERY_MS = 100;
const LINE_EVERY_MS = 5000;
/** The second line of a step comes soon, so that a rate is seen early. */
const SECOND_LINE_MS = 1000;

/** Seconds as people say them: 8s, 2m 05s, 1h 03m. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s}s`;
  const pad = (n: number) => String(n).padStart(2, "0");
  return s < 3600
    ? `${Math.floor(s / 60)}m ${pad(s % 60)}s`
    : `${Math.floor(s / 3600)}h ${pad(Math.floor((s % 3600) / 60))}m`;
}

/** `[#####-----]`, `width` characters between the brackets. */
export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`;
}

interface Step {
  readonly label: string;
  readonly done: number;
  /** null: not known before the end. */
  readonly total: number | null;
  readonly unit: string;
  readonly more: string;
}

/**
 * Shows how a re-ingest goes: one line that redraws on a terminal (bar, rate, time left), a plain line every few seconds in a pipe.
 * The rate is that of the step, so time left follows what this machine does now.
 */
export function createProgressView(output: Output, nowMs: () => number) {
  let label = "";
  let startMs = 0;
  let startDone = 0;
  let shownMs = Number.NEGATIVE_INFINITY;
  let shownDone = 0;
  let lines = 0;
  let drawn = false;

  const text = ({ done, total, unit, more }: Step): string => {
    const seconds = (nowMs() - startMs) / 1000;
    const rate = seconds > 0.5 ? (done - startDone) / seconds : 0;
    const speed = rate > 0 ? `  ${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} ${unit}/s` : "";
    if (total === null) return `${label.padEnd(7)} ${done} ${unit}${speed}${more}`;
    const left = rate > 0 && done < total ? `  ${duration((total - done) / rate)} left` : "";
    const share = total === 0 ? 1 : done / total;
    return `${label.padEnd(7)} ${bar(share, 24)} ${String(Math.floor(share * 100)).padStart(3)}%  ${done}/${total} ${unit}${speed}${left}${more}`;
  };

  const show = (step: Step) => {
    const first = step.label !== label;
    if (first) {
      end();
      label = step.label;
      startMs = nowMs();
      startDone = step.done;
      lines = 0;
    }
    const last = step.total !== null && step.done >= step.total;
    const everyMs = output.redraw ? REDRAW_EVERY_MS : lines === 1 ? SECOND_LINE_MS : LINE_EVERY_MS;
    const due = last ? step.done !== shownDone : nowMs() - shownMs >= everyMs;
    if (!first && !due) return;
    shownMs = nowMs();
    shownDone = step.done;
    lines++;
    if (!output.redraw) return output.note(text(step));
    output.raw(`\r\u001B[2K${text(step).slice(0, output.columns - 1)}`);
    drawn = true;
  };

  /** Leaves the line as it stands and starts a new one. */
  const end = () => {
    if (drawn) output.raw("\n");
    drawn = false;
    label = "";
  };

  return {
    end,
    update(progress: Progress): void {
      switch (progress.kind) {
        case "run":
          output.note(
            `${progress.resumed ? "going on with" : "started"} run ${progress.runId} into ${paint(output, "bold", progress.namespace)}`,
          );
          if (progress.sourceReadAt !== null)
            output.note(
              `its source was read at ${progress.sourceReadAt.toISOString()}: run the same command once more to take in what changed since`,
            );
          break;
        case "intake":
          show({ label: "read", done: progress.seen, total: null, unit: "documents", more: "" });
          break;
        case "taken-in": {
          end();
          const { seen, created, changed, unchanged, removed, empty, setAside } = progress.report;
          output.note(
            `read    ${seen} documents: ${created} new, ${changed} changed, ${unchanged} unchanged, ${removed} removed, ${empty} empty, ${setAside} set aside`,
          );
          break;
        }
        case "fill": {
          const more = `  ${progress.chunks} chunks, ${progress.embedded} embedded`;
          show({ label: "fill", done: progress.documents, total: progress.documentsTotal, unit: "documents", more });
          break;
        }
        case "index":
          end();
          output.note("index");
          break;
        case "warning":
          end();
          output.note(`warning: ${progress.message}`);
          break;
        case "waiting":
          end();
          output.note(`waiting: ${progress.reason}`);
          break;
        case "verify":
          show({ label: "verify", done: progress.chunks, total: progress.chunksTotal, unit: "chunks", more: "" });
          break;
      }
    },
  };
}
