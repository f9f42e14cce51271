import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";
import { z } from "zod";
import { miniLmProfileYaml } from "@emb/providers/testing";

export const COMMAND = fileURLToPath(new URL("../bin/emb.js", import.meta.url));

/**
 * The embedded database is 10 MB of WebAssembly. V8 optimises its hot functions in the background while a command of one second runs, which ends before
 * that pays: without it `emb status` takes 1.4 s of processor time instead of 2.4 (measured, Node 20.20, 2 cores). The code that runs is the same.
 */
const NODE_FLAGS = ["--liftoff-only"];

/** A profile of the in-process MiniLM; another version is another vector space to emb. */
export const profileYaml = (name: string, version = name): string => miniLmProfileYaml({ name, version });

/** Two profiles of one model: `one` is every environment's baseline. */
export const MANIFEST = `profiles:\n${profileYaml("one")}${profileYaml("two")}`;

export interface Ended {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has said on stderr so far. */
  stderr(): string;
  /** Resolves when stderr matches; rejects when the process ends before. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<Ended>;
}

type Variables = Readonly<Record<string, string>>;

/** Starts the real command, with nothing of this process's environment but what a program needs to run. */
function startEmb(args: readonly string[], { cwd, env }: { cwd: string; env: Variables }): Running {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [...NODE_FLAGS, COMMAND, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    stderr: () => stderr,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => void (pattern.test(stderr) && resolve());
        child.stderr.on("data", look);
        child.once("close", () => reject(new Error(`the command ended without saying ${pattern}: ${stderr}`)));
        look();
      }),
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

export const runEmb = (args: readonly string[], place: { cwd: string; env: Variables }): Promise<Ended> =>
  startEmb(args, place).ended;

export interface Project {
  readonly dir: string;
  /** Runs the command in the project, in environment production unless `env` says otherwise. */
  emb(args: readonly string[], env?: Variables): Promise<Ended>;
  start(args: readonly string[], env?: Variables): Running;
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Ends what still runs and deletes the folder. @throws when something ran that no test waited for */
  remove(): Promise<void>;
}

type Files = Readonly<Record<string, string | Uint8Array>>;

/**
 * A folder with config/ and a data folder that holds an empty database.
 * @param files path inside the project -> content; given ones replace the default manifest and production.yaml
 */
export const createProject = (files: Files = {}): Promise<Project> => projectWith(inject("dataDirTemplate"), files);

/** As `createProject`, but FILLED_DOCUMENTS lie in docs/ and were filled into docs_one, then into docs_two. */
export const createFilledProject = (files: Files = {}): Promise<Project> =>
  projectWith(inject("filledDataDirTemplate"), { ...FILLED_DOCUMENTS, ...files });

/** A project with the files and the database of another one, in which nothing runs. */
export async function copyProject({ dir }: Pick<Project, "dir">): Promise<Project> {
  const copy = await newFolder();
  await cp(dir, copy, { recursive: true, verbatimSymlinks: true });
  return projectIn(copy);
}

const newFolder = async (): Promise<string> => realpath(await mkdtemp(join(tmpdir(), "emb-cli-")));

async function projectWith(dataDir: string, files: Files): Promise<Project> {
  const project = projectIn(await newFolder());
  await cp(join(dataDir, "postgres"), join(project.dir, ".emb", "postgres"), { recursive: true });
  await symlink(join(dataDir, "models"), join(project.dir, ".emb", "models"));
  const defaults = {
    "config/embedding_profiles.yaml": MANIFEST,
    "config/production.yaml": "embedding: { profile: one }\n",
  };
  for (const [path, content] of Object.entries({ ...defaults, ...files })) await project.write(path, content);
  return project;
}

function projectIn(dir: string): Project {
  const running = new Set<Running>();
  const start: Project["start"] = (args, env = {}) => {
    const process = startEmb(args, { cwd: dir, env: { ENV: "production", ...env } });
    running.add(process);
    void process.ended.finally(() => running.delete(process));
    return process;
  };
  return {
    dir,
    start,
    emb: (args, env) => start(args, env).ended,
    async write(path, content) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), content);
    },
    async remove() {
      const left = [...running];
      for (const process of left) await process.kill("SIGKILL");
      await rm(dir, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`${left.length} commands were still running`);
    },
  };
}

/** `documents` files with one short text each, every text different. */
export const ferries = (documents: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: documents }, (_, place) => [
      `docs/ferry-${String(place).padStart(4, "0")}.md`,
      `# Ferry ${place}\n\nFerry number ${place} leaves at ${place} minutes past noon and carries ${place * 7} sheep.\n`,
    ]),
  );

/** What a filled project begins with. */
export const FILLED_DOCUMENTS = ferries(3);

/** The one JSON document on stdout. */
export const documentOf = <T>({ stdout }: Ended, schema: z.ZodType<T>): T => schema.parse(JSON.parse(stdout));

const Failure = z.object({
  ok: z.literal(false),
  code: z.string(),
  errors: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      hint: z.string(),
      file: z.string().optional(),
      line: z.number().optional(),
      column: z.number().optional(),
    }),
  ),
});
/** What a failed command says with --json. */
export const failureOf = (ended: Ended): z.output<typeof Failure> => documentOf(ended, Failure);

/**
 * What a failed command shows people: its exit code, each error as `CODE text` with its one action, and whether a stack trace came with it.
 * The project's folder is written as `.`; lines before the first error (banner, progress, warnings) are left out.
 */
export function shown({ code, stderr }: Ended, { dir }: Pick<Project, "dir">) {
  const lines = stderr.replaceAll(`${dir}/`, "./").replaceAll(dir, ".").trimEnd().split("\n");
  const stack = lines.some((line) => /^\s+at \S/.test(line));
  const start = lines.findIndex((line) => line.startsWith("error "));
  const errors = start < 0 ? [] : lines.slice(start).filter((line) => line.startsWith("error "));
  const actions = start < 0 ? [] : lines.slice(start).filter((line) => line.startsWith("  -> "));
  return {
    exit: code,
    errors: errors.map((line) => line.slice("error ".length)),
    actions: actions.map((line) => line.slice("  -> ".length)),
    stack,
  };
}
