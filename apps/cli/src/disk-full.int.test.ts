import { execFileSync, spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, type TestContext } from "vitest";
import { z } from "zod";
import { createProject, documentOf, failureOf, type Project } from "./command.fixture.js";

/** A small disk of its own for the database; null where this user may not mount one. */
async function mountSmallDisk(): Promise<string | null> {
  const dir = await mkdtemp(join(tmpdir(), "emb-disk-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=120m", "tmpfs", dir]).status === 0) return dir;
  await rm(dir, { recursive: true });
  return null;
}

const LINES = Array.from({ length: 200 }, (_, place) =>
  JSON.stringify({
    id: `d${place}`,
    text: `Ferry ${place}: ${Buffer.from(`${place}`.repeat(2000)).toString("base64url").slice(0, 400)}`,
  }),
);

describe("a full disk", () => {
  let project: Project;
  let disk: string | null;
  beforeAll(async () => {
    project = await createProject({ "docs.jsonl": LINES.join("\n") });
    disk = await mountSmallDisk();
    if (disk === null) return;
    const template = inject("dataDirTemplate");
    await mkdir(join(disk, "data"));
    await cp(join(template, "postgres"), join(disk, "data/postgres"), { recursive: true });
    await symlink(join(template, "models"), join(disk, "data/models"));
  });
  afterAll(async () => {
    await project.remove();
    if (disk === null) return;
    execFileSync("umount", [disk]);
    await rm(disk, { recursive: true });
  });

  const small = (context: TestContext): string => disk ?? context.skip("this user may not mount a small disk");

  it("is said with a code, breaks nothing, and the same command finishes once there is room", async (context) => {
    const dir = small(context);
    const { bavail, bsize } = await statfs(dir);
    const filler = join(dir, "filler");
    await writeFile(filler, Buffer.alloc(bavail * bsize - 128 * 1024));

    const env = { EMB_DATA_DIR: join(dir, "data") };
    const args = ["reingest", "--to", "one", "--source", "docs.jsonl", "--yes", "--json"];
    const full = await project.emb(args, env);
    expect({ exit: full.code, code: failureOf(full).code }).toEqual({ exit: 75, code: "EMB_STORE_FULL" });

    await rm(filler);
    const finished = await project.emb(args, env);
    expect(finished.code).toBe(0);
    expect(documentOf(finished, Reingested)).toMatchObject({ state: "ready", documents: LINES.length, drift_pct: 0 });
  });
});

const Reingested = z.object({ state: z.string(), documents: z.number(), drift_pct: z.number() });
