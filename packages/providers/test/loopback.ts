import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Fault } from "./loopback/faults.js";
import type { Script, ServiceSettings } from "./loopback/service.js";

export type FaultInput = z.input<typeof Fault>;
export type What = FaultInput["what"];

const Report = z.object({
  /** In the order of arrival. */
  requests: z.array(
    z.object({
      path: z.string(),
      status: z.int(),
      texts: z.array(z.string()),
      fault: z.string(),
      answered: z.boolean(),
      again: z.boolean(),
      base64: z.boolean(),
      acceptEncoding: z.string(),
      bytesSent: z.int(),
      atMs: z.number(),
    }),
  ),
  inFlight: z.int(),
  maxInFlight: z.int(),
  openSockets: z.int(),
  connections: z.int(),
  /** The key was in a header or an address. */
  keySeen: z.boolean(),
});
type Report = z.infer<typeof Report>;

export interface LoopbackService {
  /** Without a path. */
  readonly origin: string;
  /** What goes wrong from now on. The first fault that meets a request is its fault. */
  play(faults: readonly FaultInput[], more?: { readonly delayMs?: number }): Promise<void>;
  report(): Promise<Report>;
  /** Forgets the requests so far. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

export interface Loopback {
  open(settings: z.input<typeof ServiceSettings>): Promise<LoopbackService>;
  close(): Promise<void>;
}

/** Starts the process of the loopback services. */
export async function startLoopback(): Promise<Loopback> {
  const child = fork(fileURLToPath(new URL("./loopback/server.js", import.meta.url)), { execArgv: [] });
  const [address] = z.tuple([z.object({ port: z.int() }), z.unknown()]).parse(await once(child, "message"));

  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${address.port}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text);
  };

  return {
    async open(settings) {
      const { port } = z.object({ port: z.int() }).parse(await control("POST", "/services", settings));
      const path = `/services/${port}`;
      return {
        origin: `http://127.0.0.1:${port}`,
        async play(faults, more = {}) {
          const script: z.input<typeof Script> = { faults: [...faults], ...more };
          await control("PUT", `${path}/script`, script);
        },
        report: async () => Report.parse(await control("GET", path)),
        async forget() {
          await control("POST", `${path}/forget`);
        },
        async close() {
          await control("DELETE", path);
        },
      };
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
