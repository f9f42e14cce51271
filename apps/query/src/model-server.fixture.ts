import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";

export const DIMS = 16;

const Asked = z.object({ model: z.string(), input: z.array(z.string()) });

/** A model of bags of words behind OpenAI's protocol, on loopback. */
export interface ModelServer {
  readonly url: string;
  /** Texts of every request so far. */
  readonly texts: string[];
  /** From now on it answers with vectors of its own `kind`. */
  becomes(kind: string): void;
  /** From now on requests wait; the answer to them is never sent before `release`. */
  hold(): void;
  release(): void;
  /** Requests that wait. */
  waiting(): number;
  /** Nobody listens at its address any more. */
  close(): Promise<void>;
}

export async function startModelServer(kind: string): Promise<ModelServer> {
  let now = kind;
  let held: (() => void)[] | null = null;
  const texts: string[] = [];
  const answer = (response: ServerResponse, { model, input }: z.output<typeof Asked>) => {
    const data = input.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text, now) }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ object: "list", model, data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
  };
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    const asked = Asked.parse(await json(request));
    texts.push(...asked.input);
    if (held === null) answer(response, asked);
    else held.push(() => answer(response, asked));
  };
  const server = createServer((request, response) => {
    void receive(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.int() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}/v1`,
    texts,
    becomes: (other) => void (now = other),
    hold: () => void (held = []),
    release() {
      const waiting = held ?? [];
      held = null;
      for (const send of waiting) send();
    },
    waiting: () => held?.length ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Of length 1. Every kind throws words onto other dims. */
function vectorOf(text: string, kind: string): number[] {
  const vector = Array.from({ length: DIMS }, () => 0.01);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let place = 7;
    for (const letter of `${kind} ${word}`) place = (place * 31 + letter.codePointAt(0)!) % 10_007;
    vector[place % DIMS]! += 1;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
