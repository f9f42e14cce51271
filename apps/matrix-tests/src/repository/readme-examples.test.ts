import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseManifest } from "@emb/manifest";
import { createProvider, createTokenizer, type EmbeddingProvider } from "@emb/providers";
import { openEmbeddedStore, type Store } from "@emb/store";
import { ROOT } from "./checkout.js";

/** Packages in an order in which the later examples find what the earlier ones made. @emb/store runs its own, in a process of its own. */
const PACKAGES = ["manifest", "config", "eval", "providers", "ingest", "search"];

/** Names that an example may use without making them, as its README says. */
type Given = Record<string, unknown>;

let folder = "";
let given: Given = {};
let store: Store | undefined;
let provider: EmbeddingProvider | undefined;

describe("README examples print what their comments say", { timeout: 120_000 }, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "emb-readme-"));
    const handbook = join(folder, "handbook");
    await mkdir(handbook);
    await writeFile(
      join(handbook, "timetable.md"),
      "# Timetable\n\nThe ferry leaves the north quay at seven in the morning.\n",
    );
    await writeFile(join(handbook, "refunds.md"), "# Refunds\n\nTickets are paid back when a sailing is cancelled.\n");
    const manifest = await readFile(join(ROOT, "config/embedding_profiles.yaml"), "utf8");
    const reading = parseManifest(manifest, { file: "embedding_profiles.yaml" });
    const profile = reading.ok ? reading.manifest.profiles.get("st_minilm") : undefined;
    if (profile === undefined) throw new Error(JSON.stringify(reading));
    const options = { env: {}, dataDir: join(folder, "data") };
    store = await openEmbeddedStore(options);
    provider = await createProvider(profile, options);
    given = {
      profile,
      store,
      provider,
      tokenizer: await createTokenizer(profile, options),
      randomUUID,
      signal: new AbortController().signal,
      sleep: async () => {},
      onProgress: () => {},
      limits: {
        maxDriftPct: 0,
        minRecall: 0.95,
        witnessMinCosine: 0.999,
        normTolerance: 0.001,
        sampleQueries: 20,
      },
    };
  }, 60_000);
  afterAll(async () => {
    await provider?.close();
    await store?.close();
    await rm(folder, { recursive: true });
  });

  it.each(PACKAGES)("@emb/%s", async (name) => {
    const readme = await readFile(join(ROOT, "packages", name, "README.md"), "utf8");
    const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
    const expected = [...example.matchAll(/^\s*console\.log\(.*\/\/ (.*)$/gm)].map(([, comment]) => comment);
    expect(expected.length, "an example prints something").toBeGreaterThan(0);
    expect(await run(name, example)).toEqual(expected);
  });
});

/** Runs an example against the built packages, as a user's program would import them. */
async function run(name: string, example: string): Promise<string[]> {
  const imports = example.match(/^import .*?;\n/gms)?.join("") ?? "";
  const body = example
    .slice(example.lastIndexOf("import ") < 0 ? 0 : imports.length)
    .replaceAll("console.log(", "print(")
    .replaceAll('"./handbook"', JSON.stringify(join(folder, "handbook")))
    .replaceAll('".emb"', JSON.stringify(join(folder, `of-${name}`)));
  const own = [...body.matchAll(/\b(?:const|let) \{?\[?\s*([\w\s,]+)/g)].flatMap(([, names]) =>
    names!.split(",").map((one) => one.trim()),
  );
  const names = Object.keys(given).filter((known) => !own.includes(known));
  const text = `// @ts-nocheck\n${imports}export async function example({ ${names.join(", ")} }, print) {\n${body}\n}\n`;
  const file = join(ROOT, "apps/matrix-tests/node_modules", `readme-${name}.ts`); // here, so that @emb/* is found
  await writeFile(file, text);
  try {
    const printed: string[] = [];
    const module: { example(given: Given, print: (...values: unknown[]) => void): Promise<void> } = await import(file);
    await module.example(given, (...values) => printed.push(values.join(" ")));
    return printed;
  } finally {
    await rm(file);
  }
}
