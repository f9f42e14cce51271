import { describe, expect, it } from "vitest";
import { parseManifest } from "./parse-manifest.js";

/** One valid profile; each bad row changes one thing of it. */
const valid = `profiles:
  a:
    provider: hf
    model_id: org/model-a
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { normalized_output: true }
`;
const problemsOf = (text: string) => {
  const reading = parseManifest(text, { file: "m.yaml" });
  return reading.ok
    ? []
    : reading.problems.map(({ code, message, hint, line, column }) => `${line}:${column} ${code} ${message} | ${hint}`);
};

describe("parseManifest", () => {
  it("fills in every default and resolves the alias", () => {
    const reading = parseManifest(valid, { file: "m.yaml" });
    expect(reading.ok && [...reading.manifest.profiles]).toEqual([
      [
        "a",
        {
          name: "a",
          description: "",
          provider: "sentence-transformers",
          modelId: "org/model-a",
          version: "org/model-a",
          revision: null,
          dims: 384,
          similarity: "cosine",
          storage: "vector",
          precision: null,
          pooling: null,
          task: null,
          tasks: { query: null, document: null },
          prompts: { query: "", document: "" },
          tokenizer: { backend: "huggingface", modelId: "org/model-a" },
          capabilities: {
            supportsDense: true,
            supportsSparse: false,
            supportsColbert: false,
            supportsLongSequences: false,
            normalizedOutput: true,
            multilingual: false,
          },
          requirements: [],
          limits: {
            maxInputTokens: 512,
            maxBatchItems: null,
            maxBatchTokens: null,
            requestsPerMinute: null,
            tokensPerMinute: null,
          },
          serviceUrl: null,
          pricePerMillionTokens: null,
          sunset: null,
        },
      ],
    ]);
  });

  it("keeps what is written", () => {
    const text = valid
      .replace(
        "    dims: 384",
        "    version: v2\n    revision: abc\n    dims: 384\n    storage: halfvec\n    precision: int8\n    pooling: mean",
      )
      .concat(
        "    description: A\n    task: retrieval\n    tasks: { query: q, document: d }\n    prompts: { query: 'q: ' }\n",
        "    requirements: [A_KEY]\n    limits: { max_input_tokens: 256, max_batch_items: 32, max_batch_tokens: 9, tokens_per_minute: 5 }\n",
        "    service_url: https://a.test/v1\n    price_per_million_tokens: 0\n    sunset: 2027-01-31\n",
      );
    const reading = parseManifest(text, { file: "m.yaml" });
    expect(reading.ok && reading.manifest.profiles.get("a")).toMatchObject({
      version: "v2",
      revision: "abc",
      storage: "halfvec",
      precision: "int8",
      pooling: "mean",
      description: "A",
      task: "retrieval",
      tasks: { query: "q", document: "d" },
      prompts: { query: "q: ", document: "" },
      requirements: ["A_KEY"],
      limits: {
        maxInputTokens: 256,
        maxBatchItems: 32,
        maxBatchTokens: 9,
        requestsPerMinute: null,
        tokensPerMinute: 5,
      },
      serviceUrl: "https://a.test/v1",
      pricePerMillionTokens: 0,
      sunset: "2027-01-31",
    });
  });

  it.each([
    [2000, "vector"],
    [2001, "halfvec"],
    [4000, "halfvec"],
    [4001, "vector"],
    [16000, "vector"],
  ])("stores %i dims as %s", (dims, storage) => {
    const reading = parseManifest(valid.replace("384", String(dims)), { file: "m.yaml" });
    expect(reading.ok && reading.manifest.profiles.get("a")?.storage).toBe(storage);
  });

  it.each([
    ["", "a", null],
    ["default: b\n", "b", "b"],
  ])("takes the baseline from %j", (head, baseline, written) => {
    const second = valid.replace("profiles:\n", "").replace("  a:", "  b:");
    const reading = parseManifest(head + valid + second, { file: "m.yaml" });
    expect(reading.ok && [reading.manifest.baseline, reading.manifest.default]).toEqual([baseline, written]);
  });

  it("prefers the environment's address", () => {
    const text = `${valid}    service_url: https://manifest.test\n`;
    const reading = parseManifest(text, { file: "m.yaml", serviceUrls: { a: "https://environment.test" } });
    expect(reading.ok && reading.manifest.profiles.get("a")?.serviceUrl).toBe("https://environment.test");
  });

  const change = (from: string, to: string) => valid.replace(from, to);
  it.each<[string, string, string[]]>([
    ["an empty file", "", ["1:1 EMB_MANIFEST_INVALID the file is empty | Write at least the required keys."]],
    ["a list", "- a\n", ["1:1 EMB_MANIFEST_INVALID expected a mapping, got a list | Correct the value."]],
    [
      "no profile",
      "profiles: {}\n",
      ["1:1 EMB_MANIFEST_INVALID profiles: expected at least one profile | Correct the value."],
    ],
    [
      "a duplicate key",
      change("    dims: 384\n", "    dims: 384\n    dims: 512\n"),
      ['6:5 EMB_YAML_SYNTAX the key "dims" is written twice | Keep one of the two entries.'],
    ],
    [
      "a duplicate profile",
      valid + valid.replace("profiles:\n", ""),
      ['9:3 EMB_YAML_SYNTAX the key "a" is written twice | Keep one of the two entries.'],
    ],
    [
      "a tab",
      change("    dims", "\tdims"),
      ["5:1 EMB_YAML_SYNTAX a tab is used for indentation, which YAML forbids | Indent with spaces."],
    ],
    [
      "a wrong type",
      change("384", '"many"'),
      ['5:11 EMB_MANIFEST_INVALID profiles.a.dims: expected a number, got "many" | Correct the value.'],
    ],
    [
      "a fraction for a whole number",
      change("384", "38.4"),
      ["5:11 EMB_MANIFEST_INVALID profiles.a.dims: expected a whole number, got 38.4 | Correct the value."],
    ],
    [
      "a number for a text",
      change("org/model-a", "3.5"),
      ["4:15 EMB_MANIFEST_INVALID profiles.a.model_id: expected a text, got 3.5 | Put the value in quotes."],
    ],
    [
      "a missing field",
      change("    provider: hf\n", ""),
      ["2:3 EMB_MANIFEST_INVALID profiles.a.provider: missing; expected a text | Add it."],
    ],
    [
      "a missing choice",
      change("    similarity: cosine\n", ""),
      ["2:3 EMB_MANIFEST_INVALID profiles.a.similarity: missing; expected one of cosine, dot, euclidean | Add it."],
    ],
    [
      "an unknown key",
      change("similarity:", "similarty:"),
      [
        "2:3 EMB_MANIFEST_INVALID profiles.a.similarity: missing; expected one of cosine, dot, euclidean | Add it.",
        '6:5 EMB_MANIFEST_INVALID profiles.a: unknown key "similarty" | Did you mean "similarity"?',
      ],
    ],
    [
      "an unknown key far from all",
      change("tokenizer: { backend: huggingface }", "tokenizer: { backend: huggingface, colour: red }"),
      ['7:40 EMB_MANIFEST_INVALID profiles.a.tokenizer: unknown key "colour" | Known keys here: backend, model_id.'],
    ],
    [
      "an unknown choice",
      change("cosine", "cosin"),
      [
        '6:17 EMB_MANIFEST_INVALID profiles.a.similarity: expected one of cosine, dot, euclidean, got "cosin" | Did you mean "cosine"?',
      ],
    ],
    [
      "dims 0",
      change("384", "0"),
      ["5:11 EMB_MANIFEST_INVALID profiles.a.dims: expected 1 or more, got 0 | Correct the value."],
    ],
    [
      "dims 16,001",
      change("384", "16001"),
      [
        "5:11 EMB_DIMS_UNSUPPORTED profiles.a.dims: expected dims of 1 to 16000, got 16001 | No store of emb holds more than 16000 dims: ask the model for fewer.",
      ],
    ],
    [
      "dims 70,000",
      change("384", "70000"),
      [
        "5:11 EMB_DIMS_UNSUPPORTED profiles.a.dims: expected dims of 1 to 16000, got 70000 | No store of emb holds more than 16000 dims: ask the model for fewer.",
      ],
    ],
    [
      "dot without normalised output",
      change("cosine", "dot").replace("true", "false"),
      [
        '6:17 EMB_MANIFEST_INVALID profiles.a.similarity: similarity "dot" needs capabilities.normalized_output: true | Set normalized_output: true when the model normalises its vectors, else choose similarity "cosine".',
      ],
    ],
    [
      "dot without normalised output beside another mistake",
      change("cosine", "dot").replace("{ normalized_output: true }", "{}").replace("384", "0"),
      [
        "5:11 EMB_MANIFEST_INVALID profiles.a.dims: expected 1 or more, got 0 | Correct the value.",
        '6:17 EMB_MANIFEST_INVALID profiles.a.similarity: similarity "dot" needs capabilities.normalized_output: true | Set normalized_output: true when the model normalises its vectors, else choose similarity "cosine".',
      ],
    ],
    [
      "an unknown provider",
      change("provider: hf", "provider: oppenai"),
      [
        '3:15 EMB_PROVIDER_UNKNOWN profiles.a.provider: provider "oppenai" is not known | Did you mean "openai"? Known providers: jina-ai, bge-m3-service, openai, openai-compatible, cohere, voyage, tei, ollama, sentence-transformers, use-lite.',
      ],
    ],
    [
      "colliding suffixes of profiles",
      valid + valid.replace("profiles:\n", "").replace("  a:", "  A:"),
      [
        '9:3 EMB_NAMESPACE_COLLISION profiles.A: has the namespace suffix "a", as "a" has | Rename one of the two profiles.',
      ],
    ],
    [
      "a default that is no profile",
      `default: aa\n${valid}`,
      ['1:10 EMB_PROFILE_UNKNOWN default: no profile is called "aa" | Did you mean "a"?'],
    ],
    [
      "a profile name that is no name",
      change("  a:", "  3a:"),
      [
        "2:3 EMB_MANIFEST_INVALID profiles.3a: expected a letter, then at most 62 letters, digits, _ . or - | Rename it.",
      ],
    ],
    [
      "a name that JavaScript would drop",
      change("  a:", "  __proto__: {}\n  a:"),
      ['2:3 EMB_YAML_SYNTAX the key "__proto__" is not allowed | Rename it.'],
    ],
    [
      "an alias without an anchor",
      change("384", "*dims"),
      ["1:1 EMB_YAML_SYNTAX an alias has no anchor, or the aliases expand to too much | Write the values out."],
    ],
    [
      "a text for a list",
      `${valid}    requirements: A_KEY\n`,
      ['9:19 EMB_MANIFEST_INVALID profiles.a.requirements: expected a list, got "A_KEY" | Correct the value.'],
    ],
  ])("reports %s", (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  it("reports everything at once, in the order of the file", () => {
    const text = change("provider: hf", "provider: hff")
      .replace("384", "0")
      .replace("cosine", "cosin")
      .concat("    sunset: soon\n    extra: 1\n");
    expect(problemsOf(text).map((problem) => problem.split(" ").slice(0, 2).join(" "))).toEqual([
      "3:15 EMB_PROVIDER_UNKNOWN",
      "5:11 EMB_MANIFEST_INVALID",
      "6:17 EMB_MANIFEST_INVALID",
      "9:13 EMB_MANIFEST_INVALID",
      "10:5 EMB_MANIFEST_INVALID",
    ]);
  });

  it.each([
    ["a secret in an address", `${valid}    service_url: "https://user:hunter2@a.test/"\n`],
    ["a secret under an unknown key", `${valid}    api_key: hunter2 and more\n`],
    ["a secret of a wrong type", change("384", '"hunter2 and more"')],
    ["a secret in broken YAML", `${valid}    api_key: "hunter2\n`],
    ["a secret after broken YAML", `${valid}    api_key: [x] hunter2\n`],
  ])("does not repeat %s", (_, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join("\n")).not.toContain("hunter2");
  });

  const twins = `profiles:
${["a", "b"].map((name) => valid.replace("profiles:\n", "").replace("  a:", `  ${name}:`).replace("    dims", `    version: v-${name}\n    dims`)).join("")}`;
  it.each([
    [undefined, ['a, b share the namespace suffix "org_model_a" in namespace mode model']],
    ["model", ['a, b share the namespace suffix "org_model_a" in namespace mode model']],
    ["version", []],
    ["none", []],
    ["profile", []],
  ] as const)("warns of collisions in mode %s", (namespaceMode, expected) => {
    const reading = parseManifest(twins, { file: "m.yaml", ...(namespaceMode === undefined ? {} : { namespaceMode }) });
    expect(reading.ok).toBe(true);
    expect(reading.warnings.map(({ message }) => message)).toEqual(expected);
  });

  it("shows a collision at the later profile's field", () => {
    const reading = parseManifest(twins, { file: "m.yaml" });
    expect(reading.warnings.map(({ code, line, column, file }) => ({ code, line, column, file }))).toEqual([
      { code: "EMB_NAMESPACE_COLLISION", line: 12, column: 15, file: "m.yaml" },
    ]);
  });
});
