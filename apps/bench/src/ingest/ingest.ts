import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machine, type BenchReport } from "../report.js";
import { openBenchWorld, type BenchWorld } from "./bench-world.js";
import { measureChanged } from "./changed.js";
import { measureFill, type Section } from "./fill.js";
import { measureMemory } from "./memory.js";
import { measureQueries } from "./queries.js";
import { measureUnchanged } from "./unchanged.js";
import { measureIndex } from "./vector-index.js";

const WITH_POSTGRES = fileURLToPath(new URL("../../../scripts/with-postgres", import.meta.url));

type Sizes = Readonly<Record<"fill" | "unchanged" | "changed" | "index", number>> & {
  readonly memory: readonly [number, number, number];
};

const SECTIONS: Readonly<Record<string, (world: BenchWorld, rounds: number, sizes: Sizes) => Promise<Section>>> = {
  fill: (world, rounds, { fill }) => measureFill(world, rounds, fill),
  memory: (world, rounds, { memory }) => measureMemory(world, rounds, memory),
  unchanged: (world, rounds, { unchanged }) => measureUnchanged(world, rounds, unchanged),
  changed: (world, rounds, { changed }) => measureChanged(world, rounds, changed),
  index: (world, rounds, { index }) => measureIndex(world, rounds, index),
  queries: (world, rounds) => measureQueries(world, rounds),
};

/**
 * Re-ingest over a PostgreSQL server with its default durability, beside hand-written limits and LangChain. Without TEST_DATABASE_URL it starts a
 * server of its own and runs again beside it.
 * @param flags --rounds N, --scale F (of all sizes), --only SECTION[,SECTION]: for trying something
 */
export async function runIngest(flags: readonly string[]): Promise<BenchReport | { readonly ranElsewhere: number }> {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      json: { type: "boolean" },
      rounds: { type: "string", default: "5" },
      scale: { type: "string", default: "1" },
      only: { type: "string", default: Object.keys(SECTIONS).join(",") },
    },
  });
  const database = process.env["TEST_DATABASE_URL"];
  if (database === undefined) {
    const { status } = spawnSync(WITH_POSTGRES, [process.execPath, ...process.argv.slice(1)], { stdio: "inherit" });
    return { ranElsewhere: status ?? 1 };
  }
  const rounds = Number(values.rounds);
  const scaled = (count: number) => Math.round((count * Number(values.scale)) / 1000) * 1000;
  const sizes: Sizes = {
    fill: scaled(100_000), // as many as the limit and its processor time were measured with before; see docs/scale.md
    memory: [scaled(20_000), scaled(100_000), scaled(200_000)],
    unchanged: scaled(100_000),
    changed: scaled(100_000),
    index: scaled(6_000),
  };
  const world = await openBenchWorld(database);
  try {
    const {
      rows: [server],
    } = await world.sql.query<{ about: string }>(
      `SELECT 'PostgreSQL ' || current_setting('server_version') || ', pgvector ' || (SELECT extversion FROM pg_extension WHERE extname = 'vector')
         || ', fsync ' || current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')
         || ', shared_buffers ' || current_setting('shared_buffers') AS about`,
    );
    const sections: Section[] = [];
    for (const name of values.only.split(",")) {
      const started = performance.now();
      sections.push(await SECTIONS[name]!(world, rounds, sizes));
      process.stderr.write(`${name}: ${Math.round((performance.now() - started) / 1000)} s\n`);
    }
    return {
      name: "ingest",
      machine: `${machine()}, ${server?.about}`,
      rounds,
      rows: sections.flatMap((section) => section.rows),
      goals: sections.flatMap((section) => section.goals),
    };
  } finally {
    await world.close();
  }
}
