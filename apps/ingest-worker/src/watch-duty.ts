import { randomUUID } from "node:crypto";
import { openPlace, takeIn, type IntakeReport, type Source } from "@emb/ingest";
import { errorFields } from "@emb/query";
import type { TextFailure } from "@emb/store";
import type { Duty, WorkerContext } from "./duty.js";
import { watchPath, type WatchSetting } from "./watched-source.js";

/** What a database does not tell by `updated_at`: rows that are gone. */
const WHOLE_READ_MS = 3_600_000;

interface Watched {
  readonly setting: WatchSetting;
  source: Source | null;
  dueAtMs: number;
  /** A whole read also finds what was removed. */
  wholeAtMs: number;
  /** For a source that can be asked for changes: up to where it was read. */
  mark: string | null;
  setAside: number;
  stop: () => void;
}

/**
 * Brings the changes of the environment's watched sources into the system of record, which queues them for every namespace of their base. Each source is
 * read whole at the start, so nothing that happened meanwhile is missed; unchanged documents are passed over.
 */
export function createWatchDuty(context: WorkerContext): Duty {
  const { settings, nowMs, stopping, wake, log } = context;
  const watched = settings.ingest.watch.map((setting): Watched => ({
    setting,
    source: null,
    dueAtMs: -Infinity,
    wholeAtMs: -Infinity,
    mark: null,
    setAside: 0,
    stop: () => {},
  }));
  stopping.addEventListener("abort", () => watched.forEach(({ stop }) => stop()), { once: true });

  /** A folder tells of its changes; the place is watched from before it is first read. */
  const open = async (one: Watched): Promise<Source> => {
    if (one.source !== null) return one.source;
    const { maxDocumentBytes } = settings.ingest;
    const source = await openPlace(one.setting, { from: settings.paths.configDir, maxDocumentBytes });
    const path = /^(?:folder|jsonl):(.+)$/s.exec(source.identity)?.[1];
    if (path !== undefined)
      one.stop = watchPath(
        path,
        () => {
          one.dueAtMs = -Infinity;
          wake();
        },
        (error) =>
          log.warn({
            event: "watch.blind",
            source: source.identity,
            poll_ms: one.setting.pollMs,
            ...errorFields(error),
          }),
      );
    one.source = source;
    return source;
  };

  return {
    name: "watch",
    lookMs: Math.min(...settings.ingest.watch.map(({ pollMs }) => pollMs), WHOLE_READ_MS),
    async step() {
      // what has waited longest: a source that takes longer to read than its poll_ms must not keep the others from their turn
      const due = watched.reduce<Watched | undefined>(
        (first, one) => (first === undefined || one.dueAtMs < first.dueAtMs ? one : first),
        undefined,
      );
      if (due === undefined || due.dueAtMs > nowMs()) return false;
      due.dueAtMs = nowMs() + due.setting.pollMs; // before it is read: what changes meanwhile is due again
      const report = await readOnce(context, due, await open(due));
      if (report.created + report.changed + report.removed > 0) wake();
      return true;
    },
  };
}

async function readOnce(context: WorkerContext, one: Watched, source: Source): Promise<IntakeReport> {
  const { settings, store, signal, stopping, nowMs, log } = context;
  const { changes } = source;
  const mark = (await changes?.mark({ signal })) ?? null;
  const since = nowMs() < one.wholeAtMs ? one.mark : null;
  const part: Source =
    changes === undefined || since === null
      ? source
      : { ...source, partial: "changes", read: (options) => changes.readSince(since, options) };
  const setAside: TextFailure[] = [];
  const report = await takeIn({
    documents: store.documents,
    source: part,
    base: one.setting.base ?? settings.store.baseNamespace,
    runId: `watch-${randomUUID()}`, // names what this read saw, until it is swept
    version: await store.documents.nextVersion(),
    signal: AbortSignal.any([signal, stopping]),
    mayBeEmpty: part !== source,
    onSetAside: async (failures) => void setAside.push(...failures),
  });
  one.mark = mark;
  if (part === source) one.wholeAtMs = nowMs() + WHOLE_READ_MS;
  if (report.created + report.changed + report.removed > 0 || report.setAside !== one.setAside)
    log.info({
      event: "watch.read",
      source: source.identity,
      created: report.created,
      changed: report.changed,
      removed: report.removed,
      superseded: report.superseded,
      set_aside: report.setAside,
    });
  if (report.setAside !== one.setAside)
    for (const { documentId, code, reason } of setAside)
      log.warn({ event: "watch.set_aside", source: source.identity, document_id: documentId, code, reason });
  one.setAside = report.setAside;
  return report;
}
