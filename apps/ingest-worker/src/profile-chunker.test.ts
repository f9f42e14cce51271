import { describe, expect, it } from "vitest";
import { parseManifest, type Profile } from "@emb/manifest";
import { createTokenizer } from "@emb/providers";
import { profileChunker } from "./profile-chunker.js";

const profile = (maxInputTokens: number): Profile => {
  const reading = parseManifest(
    `profiles:
  hosted:
    provider: openai-compatible
    model_id: some/model
    dims: 384
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: []
    limits: { max_input_tokens: ${maxInputTokens} }
`,
    { file: "manifest.yaml" },
  );
  if (!reading.ok) throw new Error(reading.problems[0]?.message);
  return reading.manifest.profiles.get("hosted")!;
};

const english = "The baker opens at six. ".repeat(500);
const longest = (texts: readonly string[]) => Math.max(...texts.map((text) => Buffer.byteLength(text)));

const chunkBytes = async (limit: number, chunkTokens: number, text: string): Promise<number> => {
  const hosted = profile(limit);
  const tokenizer = await createTokenizer(hosted, { env: {}, dataDir: "unused" });
  const chunks = profileChunker(hosted, tokenizer, chunkTokens).chunk({ title: null, format: "text", text });
  for (const { embedText } of chunks) expect(tokenizer.countTokens(embedText).tokens).toBeLessThanOrEqual(limit);
  return longest(chunks.map((chunk) => chunk.embedText));
};

describe("without the model's tokenizer", () => {
  it("chunks are as long as the estimate says, not a quarter of it", async () => {
    const bytes = await chunkBytes(8_192, 200, english);
    expect(bytes).toBeGreaterThan(700);
    expect(bytes).toBeLessThanOrEqual(4 * 196);
  });

  it("no chunk passes the model's limit by the upper bound", async () => {
    expect(await chunkBytes(256, 256, english)).toBeLessThanOrEqual(252);
    expect(await chunkBytes(256, 200, "漢字".repeat(2_000))).toBeLessThanOrEqual(252);
  });

  it("the chunker's id says so", async () => {
    const hosted = profile(8_192);
    const tokenizer = await createTokenizer(hosted, { env: {}, dataDir: "unused" });
    expect(profileChunker(hosted, tokenizer, 200).id).toBe("chunks-1/200/estimate");
    const exact = { countTokens: (text: string) => ({ tokens: text.length, exact: true, estimate: text.length }) };
    expect(profileChunker(hosted, exact, 200).id).toBe("chunks-1/200");
  });
});
