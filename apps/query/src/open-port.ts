import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { EmbError } from "@emb/manifest";

/** Requests still running after this long are cut when a port is closed. */
const DRAIN_MS = 10_000;

export interface OpenPort {
  readonly url: string;
  /** Takes no new requests and finishes the running ones, for at most ten seconds. */
  close(): Promise<void>;
}

/**
 * Listens for an app that answers its own errors.
 * @param place port 0 takes any free one; `setting` is what chooses another, for people
 * @throws EmbError EMB_USAGE when the port cannot be had
 */
export async function openPort(
  app: Pick<Hono, "fetch">,
  place: { host: string; port: number; setting: string },
): Promise<OpenPort> {
  const { host } = place;
  const answer = getRequestListener(app.fetch); // its promise never rejects
  const server = createServer((request, response) => void answer(request, response));
  await listen(server, place);
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${boundPort(server)}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

const listen = (
  server: Server,
  { host, port, setting }: { host: string; port: number; setting: string },
): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      const seen = "code" in cause ? String(cause.code) : cause.message;
      reject(
        new EmbError("EMB_USAGE", `expected to listen on ${host}:${port}, seen ${seen}`, {
          hint: `Stop what uses the port, or choose another: ${setting}.`,
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new EmbError("EMB_INTERNAL", "expected a TCP address of the listening server", { hint: "Report this." });
  return address.port;
}
