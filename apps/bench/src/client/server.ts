import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";
import { makeVector, vectorNumber, VECTORS } from "./texts.js";

/**
 * An embedding server as fast as this machine allows, in a process of its own. The first part of the path says how it
 * behaves: /base64, /floats (numbers, whatever was asked for), /slow (50 ms), /refusing (one answer in ten is 429).
 */
const Behaviour = z.enum(["base64", "floats", "slow", "refusing"]);
const Request = z.object({ model: z.string(), input: z.array(z.string()), encoding_format: z.string().optional() });
const LATENCY_MS = 50;
const REFUSE_EVERY = 10;

const vectors = Array.from({ length: VECTORS }, (_, number) => makeVector(number));
const base64 = vectors.map((vector) => Buffer.from(`"${Buffer.from(vector.buffer).toString("base64")}"`));
const floats = vectors.map((vector) => Buffer.from(JSON.stringify([...vector])));

let requests = 0;
let answered = 0;
const distinct = new Set<string>();

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const [, first = ""] = (request.url ?? "").split("/");
  if (first === "count") {
    response.end(JSON.stringify({ answered, distinct: distinct.size }));
    answered = 0;
    distinct.clear();
    return;
  }
  const behaviour = Behaviour.parse(first);
  requests++;
  if (behaviour === "refusing" && requests % REFUSE_EVERY === 0) {
    response.writeHead(429, { "retry-after": "0", "content-type": "application/json" });
    response.end('{"error":{"type":"rate_limited"}}');
    return;
  }
  const { model, input, encoding_format: format } = Request.parse(JSON.parse(body.toString()));
  const asText = behaviour !== "floats" && format === "base64" ? base64 : floats;
  const parts: Buffer[] = [Buffer.from('{"object":"list","data":[')];
  for (const [index, text] of input.entries()) {
    parts.push(Buffer.from(`${index === 0 ? "" : ","}{"object":"embedding","index":${index},"embedding":`));
    parts.push(asText[vectorNumber(text)]!, CLOSING);
    if (!/^\d/.test(text)) continue; // a probe, not a document
    distinct.add(text.slice(0, text.indexOf(" ")));
    answered++;
  }
  const tokens = input.length * 100;
  parts.push(Buffer.from(`],"model":"${model}","usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`));
  const whole = Buffer.concat(parts);
  const send = () => {
    response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
    response.end(whole);
  };
  if (behaviour === "slow") setTimeout(send, LATENCY_MS);
  else send();
}
const CLOSING = Buffer.from("}");

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => answer(request, response, Buffer.concat(chunks)));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify(server.address())}\n`));
