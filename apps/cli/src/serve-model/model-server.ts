import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { EmbError } from "@emb/manifest";

/** Requests still running after this long are cut when the server stops. */
const DRAIN_MS = 10_000;

export interface ModelServer {
  readonly url: string;
  /** Takes no new requests and finishes the running ones, for at most ten seconds. */
  close(): Promise<void>;
}

/** @param place port 0 takes any free one @throws EmbError EMB_USAGE when the port cannot be had */
export async function startModelServer(app: Hono, place: { host: string; port: number }): Promise<ModelServer> {
  const { host, port } = place;
  const answer = getRequestListener(app.fetch); // answers its own errors, so its promise never rejects
  const server = createServer((request, response) => void answer(request, response));
  await listen(server, host, port);
  const bound = server.address();
  const boundPort = typeof bound === "object" && bound !== null ? bound.port : port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const seen = "code" in cause ? String(cause.code) : cause.message;
      reject(
        new EmbError("EMB_USAGE", `expected to listen on ${host}:${port}, seen ${seen}`, {
          hint: "Stop what uses the port, or choose another: --port.",
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
