import { z } from "zod";

const Common = z.object({
  database: z.string(),
  /** The embedding server's address with its behaviour as path. */
  service: z.string(),
  schema: z.string(),
  documents: z.number(),
});
const Changes = z.array(z.object({ every: z.number(), offset: z.number() })).readonly();

/** What a child process does, one for each measurement: its processor time and its memory are its own. */
export const Task = z.discriminatedUnion("name", [
  Common.extend({ name: z.literal("run-by-hand"), changes: Changes }),
  Common.extend({ name: z.literal("scan-by-hand"), changes: Changes }),
  Common.extend({ name: z.literal("langchain-add") }),
  Common.extend({ name: z.literal("langchain-index") }),
  /** A whole re-ingest up to a step; `fill` takes the source in and leaves the rest to a worker. */
  Common.extend({
    name: z.literal("reingest"),
    until: z.enum(["fill", "index", "verify", "end"]),
    changes: Changes,
    long: z.boolean(),
    commitRows: z.number(),
  }),
  /** A worker on the run that a re-ingest left, from `startAtMs` (since 1970) on. */
  Common.extend({ name: z.literal("work"), startAtMs: z.number() }),
  Common.extend({ name: z.literal("index") }),
  Common.extend({ name: z.literal("queries"), perSecond: z.number(), seconds: z.number() }),
]);
export type Task = z.infer<typeof Task>;
export type TaskOf<Name extends Task["name"]> = Extract<Task, { name: Name }>;

/** When a step was reached: since 1970, and processor time of the child until then. */
export const Mark = z.object({ atMs: z.number(), cpuMs: z.number() });
export type Mark = z.infer<typeof Mark>;

export const mark = (): Mark => {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.timeOrigin + performance.now(), cpuMs: (user + system) / 1000 };
};

export const Marks = z.object({ marks: z.record(z.string(), Mark), peak_mib: z.number(), embedded: z.number() });
export type Marks = z.infer<typeof Marks>;

/** Of the task `index`: seconds, milliseconds where the name says so, shares of 1. */
export const IndexFigures = z.object({
  load_then_index: z.number(),
  live: z.number(),
  emb_build: z.number(),
  plain_build: z.number(),
  emb_query_ms: z.number(),
  plain_query_ms: z.number(),
  emb_recall: z.number(),
  plain_recall: z.number(),
});
export type IndexFigures = z.infer<typeof IndexFigures>;

export const QueryFigures = z.object({ p95_ms: z.number() });
export type QueryFigures = z.infer<typeof QueryFigures>;
