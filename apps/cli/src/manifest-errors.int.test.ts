import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createProject, documentOf, MANIFEST, profileYaml, shown, type Project } from "./command.fixture.js";

const PATH = "config/embedding_profiles.yaml";

/** Lines of MANIFEST: 1 `profiles:`, 2 `one:`, 3 provider, 7 dims, 8 similarity; `two:` begins at 13. */
const ERRORS: readonly {
  name: string;
  manifest: string | Uint8Array;
  errors: readonly string[];
  actions: readonly string[];
}[] = [
  {
    name: "a key written twice",
    manifest: `${MANIFEST}${profileYaml("one")}`,
    errors: [`EMB_YAML_SYNTAX ./${PATH}:24:3: the key "one" is written twice`],
    actions: ["Keep one of the two entries."],
  },
  {
    name: "a value of the wrong type",
    manifest: MANIFEST.replace("dims: 384", 'dims: "many"'),
    errors: [`EMB_MANIFEST_INVALID ./${PATH}:7:11: profiles.one.dims: expected a number, got "many"`],
    actions: ["Correct the value."],
  },
  {
    name: "a tab",
    manifest: MANIFEST.replace("    dims: 384", "\tdims: 384"),
    errors: [`EMB_YAML_SYNTAX ./${PATH}:7:1: a tab is used for indentation, which YAML forbids`],
    actions: ["Indent with spaces."],
  },
  {
    name: "a missing field",
    manifest: MANIFEST.replace("    similarity: cosine\n", ""),
    errors: [
      `EMB_MANIFEST_INVALID ./${PATH}:2:3: profiles.one.similarity: missing; expected one of cosine, dot, euclidean`,
    ],
    actions: ["Add it."],
  },
  {
    name: "an unknown key, and what is missing because of it",
    manifest: MANIFEST.replace("    dims: 384", "    dim: 384"),
    errors: [
      `EMB_MANIFEST_INVALID ./${PATH}:2:3: profiles.one.dims: missing; expected a number`,
      `EMB_MANIFEST_INVALID ./${PATH}:7:5: profiles.one: unknown key "dim"`,
    ],
    actions: ["Add it.", 'Did you mean "dims"?'],
  },
  {
    name: "two names with one suffix",
    manifest: `profiles:\n${profileYaml("one")}${profileYaml("st-minilm", "a")}${profileYaml("st_minilm", "b")}`,
    errors: [
      `EMB_NAMESPACE_COLLISION ./${PATH}:24:3: profiles.st_minilm: has the namespace suffix "st_minilm", as "st-minilm" has`,
    ],
    actions: ["Rename one of the two profiles."],
  },
  {
    name: "dims 0",
    manifest: MANIFEST.replace("dims: 384", "dims: 0"),
    errors: [`EMB_MANIFEST_INVALID ./${PATH}:7:11: profiles.one.dims: expected 1 or more, got 0`],
    actions: ["Correct the value."],
  },
  {
    name: "dims 70,000",
    manifest: MANIFEST.replace("dims: 384", "dims: 70000"),
    errors: [`EMB_DIMS_UNSUPPORTED ./${PATH}:7:11: profiles.one.dims: expected dims of 1 to 16000, got 70000`],
    actions: ["No store of emb holds more than 16000 dims: ask the model for fewer."],
  },
  {
    name: "similarity dot without normalized_output",
    manifest: MANIFEST.replace("similarity: cosine", "similarity: dot").replace("output: true", "output: false"),
    errors: [
      `EMB_MANIFEST_INVALID ./${PATH}:8:17: profiles.one.similarity: similarity "dot" needs capabilities.normalized_output: true`,
    ],
    actions: ['Set normalized_output: true when the model normalises its vectors, else choose similarity "cosine".'],
  },
  {
    name: "bytes that are no UTF-8",
    manifest: Buffer.from("profiles: { \xe9: 1 }", "latin1"),
    errors: [`EMB_CONFIG_FILE_UNREADABLE ./${PATH}: the file is not valid UTF-8`],
    actions: ["Save the file as UTF-8."],
  },
  {
    name: "nothing in it",
    manifest: "",
    errors: [`EMB_MANIFEST_INVALID ./${PATH}:1:1: the file is empty`],
    actions: ["Write at least the required keys."],
  },
];

describe("a manifest with an error, on the command", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createProject();
  });
  afterAll(() => project.remove());

  it.each(ERRORS)("is refused with its place: $name", async ({ manifest, errors, actions }) => {
    await project.write(PATH, manifest);
    const refused = { exit: 78, errors, actions, stack: false };
    expect(shown(await project.emb(["manifest", "validate"]), project)).toEqual(refused);
    expect(shown(await project.emb(["gate"]), project)).toEqual(refused);
  });

  it("is described by validate --json, every error at once, with those of the environment's file", async () => {
    await project.write(PATH, MANIFEST.replace("dims: 384", "dims: 0").replace("dims: 384", 'dims: "x"'));
    await project.write("config/staging.yaml", "query:\n  port: 99999\n");
    const ended = await project.emb(["manifest", "validate", "--json"], { ENV: "staging" });
    const { ok, errors } = documentOf(ended, Validation);
    expect(ended.code).toBe(78);
    expect(ok).toBe(false);
    expect(
      errors.map(({ code, file, line, column }) => [code, file.replace(`${project.dir}/`, ""), line, column]),
    ).toEqual([
      ["EMB_CONFIG_INVALID", "config/staging.yaml", 2, 9],
      ["EMB_MANIFEST_INVALID", PATH, 7, 11],
      ["EMB_MANIFEST_INVALID", PATH, 18, 11],
    ]);
    expect(errors.every(({ hint }) => hint !== "")).toBe(true);
  });

  it.each([
    [
      "the environment's file",
      "embedding: { profile: onee }\n",
      {},
      'the baseline profile "onee" of environment production is not in the manifest',
      'Did you mean "one"?',
    ],
    [
      "EMBEDDINGS_PROFILE",
      "embedding: { profile: one }\n",
      { EMBEDDINGS_PROFILE: "tow" },
      'the requested profile "tow" of environment production is not in the manifest',
      'Did you mean "two"?',
    ],
  ])("is joined by a profile that it lacks and %s names", async (_, file, env, reason, hint) => {
    await project.write(PATH, MANIFEST);
    await project.write("config/production.yaml", file);
    const ended = await project.emb(["manifest", "validate"], env);
    expect(shown(ended, project)).toEqual({
      exit: 78,
      errors: [`EMB_PROFILE_UNKNOWN ./config/production.yaml: ${reason}`],
      actions: [hint],
      stack: false,
    });
    const asJson = await project.emb(["manifest", "validate", "--json"], env);
    expect({ exit: asJson.code, ...documentOf(asJson, Unknown) }).toEqual({
      exit: 78,
      ok: false,
      errors: [
        { code: "EMB_PROFILE_UNKNOWN", message: reason, file: join(project.dir, "config/production.yaml"), hint },
      ],
    });
  });

  it("shows the stack only with --verbose", async () => {
    await project.write(PATH, "");
    expect(shown(await project.emb(["manifest", "validate", "--verbose"]), project)).toMatchObject({
      exit: 78,
      stack: true,
    });
  });
});

const Unknown = z.object({
  ok: z.boolean(),
  errors: z.array(z.object({ code: z.string(), message: z.string(), file: z.string(), hint: z.string() })),
});
const Validation = z.object({
  ok: z.boolean(),
  errors: z.array(
    z.object({
      code: z.string(),
      message: z.string(),
      file: z.string(),
      line: z.number(),
      column: z.number(),
      hint: z.string(),
    }),
  ),
});
