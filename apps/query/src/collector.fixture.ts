import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";

/** What a collector was sent: one row for each request. */
export interface Received {
  readonly path: string;
  readonly contentType: string;
  readonly authorization: string | null;
  readonly body: Buffer;
}

export interface Collector {
  readonly url: string;
  received(): readonly Received[];
  stop(): void;
}

// Answers as the OTLP specification asks: 200, the content type of the request, an empty response message. `hang` takes requests and never answers.
const PROGRAM = `
const http = require("node:http");
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const { authorization = null, "content-type": contentType } = request.headers;
    console.log(JSON.stringify({ path: request.url, contentType, authorization, body: Buffer.concat(parts).toString("base64") }));
    if (process.argv[1] === "hang") return;
    response.setHeader("content-type", contentType);
    response.end(contentType === "application/json" ? "{}" : "");
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
`;

const Row = z.object({
  path: z.string(),
  contentType: z.string(),
  authorization: z.string().nullable(),
  body: z.string().transform((text) => Buffer.from(text, "base64")),
});

/** A collector on the loopback, in a process of its own. */
export async function startCollector(mode: "answer" | "hang" = "answer"): Promise<Collector> {
  const child = spawn(process.execPath, ["-e", PROGRAM, mode], { stdio: ["ignore", "pipe", "inherit"] });
  const rows: Received[] = [];
  const port = await new Promise<number>((resolve) => {
    createInterface(child.stdout).on("line", (line) => {
      const value: unknown = JSON.parse(line);
      const listening = z.object({ port: z.number() }).safeParse(value);
      if (listening.success) resolve(listening.data.port);
      else rows.push(Row.parse(value));
    });
  });
  return { url: `http://127.0.0.1:${port}`, received: () => rows, stop: () => void child.kill() };
}
