import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The loopback services of the providers' own tests. A path, not an import: it is a program. */
const PROGRAM = fileURLToPath(new URL("../../../../packages/providers/test/loopback/server.js", import.meta.url));
export const DIMS = 16;

/** A model behind HTTP, in a process of its own. */
export interface ModelService {
  readonly url: string;
  /** From now on. */
  down(isDown: boolean): Promise<void>;
  close(): Promise<void>;
}

/** @param delayMs before each answer, so that a fill takes long enough for something to go wrong */
export async function startModelService(delayMs: number): Promise<ModelService> {
  const child = fork(PROGRAM, { execArgv: [] });
  const [{ port: controlPort }] = z
    .tuple([z.object({ port: z.int() }), z.unknown()])
    .parse(await once(child, "message"));
  const control = async (method: string, path: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${controlPort}${path}`, { method, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const settings = {
    protocol: "openai-compatible",
    key: "unused",
    model: { id: "far", dims: DIMS, maxInputTokens: 8_192 },
  };
  const { port } = z.object({ port: z.int() }).parse(await control("POST", "/services", settings));
  const script = (faults: readonly unknown[]) => control("PUT", `/services/${port}/script`, { faults, delayMs });
  await script([]);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    async down(isDown) {
      await script(isDown ? [{ what: { kind: "status", status: 503 } }] : []);
      await control("POST", `/services/${port}/forget`, {}); // it keeps what was asked, which nobody reads here
    },
    async close() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
