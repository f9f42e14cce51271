import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { z } from "zod";

const Body = z.object({ model: z.string(), input: z.array(z.string()) });
export const DIMS = 8;

/** A manifest with one profile, `far`, which is this service's. @param limits more of its limits, as YAML */
export const farManifest = (limits = ""): string => `profiles:
  far:
    provider: openai-compatible
    model_id: far
    dims: ${DIMS}
    similarity: cosine
    tokenizer: { backend: huggingface }
    capabilities: { supports_dense: true, normalized_output: true }
    requirements: []
    limits: { max_input_tokens: 512, max_batch_items: 4${limits} }
`;

/** A model that speaks OpenAI's protocol in the test's own process, so that its requests can be counted and held. */
export interface EmbeddingServiceFixture {
  readonly url: string;
  /** When each request came, by performance.now(), with its texts; in the order of arrival. */
  readonly requests: readonly { readonly atMs: number; readonly texts: readonly string[] }[];
  /** From now on no request with such a text is answered until `release`. @returns resolves when the first one is held */
  hold(prefix: string): Promise<unknown>;
  release(): void;
  close(): Promise<void>;
}

/** Any text has a vector of its own, of length 1. */
function vectorOf(text: string): number[] {
  const raw = [...createHash("sha256").update(text).digest().subarray(0, DIMS)].map((byte) => byte - 127.5);
  const norm = Math.hypot(...raw);
  return raw.map((value) => value / norm);
}

/**
 * @param options.delayMs how long it thinks about each request
 * @param options.busySeconds what its first answer asks to wait, with 429
 */
export async function startEmbeddingService(
  options: { delayMs?: number; busySeconds?: number } = {},
): Promise<EmbeddingServiceFixture> {
  const requests: { atMs: number; texts: readonly string[] }[] = [];
  const told = new EventEmitter();
  let holding: string | null = null;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { model, input } = Body.parse(JSON.parse(Buffer.concat(parts).toString()));
      requests.push({ atMs: performance.now(), texts: input });
      const isBusy = options.busySeconds !== undefined && requests.length === 1;
      if (isBusy) response.writeHead(429, { "retry-after": String(options.busySeconds) });
      const data = input.map((text, index) => ({ index, embedding: vectorOf(text) }));
      const body = JSON.stringify({ model, data, usage: { prompt_tokens: input.length } });
      const answer = () => void setTimeout(() => response.end(body), options.delayMs ?? 0);
      const prefix = holding;
      if (prefix !== null && input.some((text) => text.startsWith(prefix))) {
        told.once("release", answer);
        told.emit("held");
      } else answer();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a TCP address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    hold(prefix) {
      holding = prefix;
      return once(told, "held");
    },
    release() {
      holding = null;
      told.emit("release");
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
