import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { Pool, type Dispatcher } from "undici";
import { BODY_PADDING, bodyBytes, type BodyBytes } from "./number-rows.js";

interface ServiceRequest {
  readonly method: "GET" | "POST";
  /** With its leading "/". */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** From sending to the last byte of the answer. */
  readonly timeoutMs: number;
  /** A longer answer is cut off. */
  readonly maxAnswerBytes: number;
}

export type Reply =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly header: (name: string) => string | undefined;
      readonly body: BodyBytes;
      /** Gives the body's memory back; it must not be read afterwards. */
      readonly release: () => void;
    }
  | { readonly kind: "timeout" }
  | { readonly kind: "too_long" }
  /** No whole answer came. `reason` is a system or library code such as ECONNREFUSED. */
  | { readonly kind: "connection"; readonly reason: string };

/** One service over HTTP/1.1, kept-alive connections. Never follows a redirect, never retries. */
export interface Transport {
  /** Never rejects except with the signal's reason, and then at once. */
  send(request: ServiceRequest, signal: AbortSignal): Promise<Reply>;
  /** Ends every connection, idle or not. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Bodies are read into buffers that are used again: a batch of 96 x 1,024 in base64 takes 0.5 MB. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/** @param origin scheme, host and port */
export function createTransport(origin: string, maxConnections: number): Transport {
  const pool = new Pool(origin, {
    connections: maxConnections,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: 0, // the request's own timeout covers both
    bodyTimeout: 0,
  });
  const free: Buffer[] = [];
  const take = (size: number): Buffer => {
    const reused = free.pop();
    return reused !== undefined && reused.length >= size ? reused : Buffer.allocUnsafeSlow(size);
  };
  const giveBack = (buffer: Buffer): void => {
    if (free.length < maxConnections) free.push(buffer);
  };

  return {
    send: (request, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(asError(signal.reason));
        new Exchange(request, signal, { take, giveBack }, resolve, reject).begin(pool);
      }),
    close: () => pool.destroy(),
  };
}

interface Buffers {
  readonly take: (size: number) => Buffer;
  readonly giveBack: (buffer: Buffer) => void;
}

type ReplyHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** One request and its answer. Settles once; what comes later is ignored, and the connection is then cut. */
class Exchange implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #status = 0;
  #headers: ReplyHeaders = {};
  #buffer: Buffer | undefined;
  #length = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly request: ServiceRequest,
    private readonly signal: AbortSignal,
    private readonly buffers: Buffers,
    private readonly resolve: (reply: Reply) => void,
    private readonly reject: (reason: Error) => void,
  ) {
    this.#timer = setTimeout(() => this.#cut({ kind: "timeout" }), request.timeoutMs);
    signal.addEventListener("abort", this.#onAbort);
  }

  begin(dispatcher: Dispatcher): void {
    const { method, path, headers, body } = this.request;
    dispatcher.dispatch({ method, path, headers, body }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error("given up before the connection was there"));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ReplyHeaders): void {
    if (status < 200) return; // informational; the answer is still to come
    this.#status = status;
    this.#headers = headers;
    const announced = Number(this.#header("content-length") ?? 0);
    if (announced > this.request.maxAnswerBytes) return this.#cutLong();
    this.#buffer = this.buffers.take((Number.isSafeInteger(announced) ? announced : 0) + BODY_PADDING);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled || this.#buffer === undefined) return;
    const length = this.#length + chunk.length;
    if (length > this.request.maxAnswerBytes) return this.#cutLong();
    if (length + BODY_PADDING > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BUFFER_BYTES, 2 * length) + BODY_PADDING);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  onResponseEnd(): void {
    const buffer = this.#buffer;
    if (this.#settled || buffer === undefined) return;
    const encoding = this.#header("content-encoding") ?? "identity";
    if (encoding === "identity") return this.#answer(buffer, this.#length);
    const packed = buffer.subarray(0, this.#length);
    unpack(encoding, packed, this.request.maxAnswerBytes).then(
      (unpacked) => this.#answer(Buffer.concat([unpacked], unpacked.length + BODY_PADDING), unpacked.length),
      (error: unknown) =>
        isTooLarge(error) ? this.#cutLong() : this.#settle({ kind: "connection", reason: codeOf(error) }),
    );
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#settle({ kind: "connection", reason: codeOf(error) });
  }

  readonly #onAbort = (): void => {
    if (this.#end()) this.reject(asError(this.signal.reason));
    this.#controller?.abort(new Error("aborted by the caller"));
  };

  #answer(buffer: Buffer, length: number): void {
    buffer.fill(0, length, length + BODY_PADDING);
    const release = () => this.buffers.giveBack(buffer);
    const header = (name: string) => this.#header(name);
    this.#settle({ kind: "answer", status: this.#status, header, body: bodyBytes(buffer, length), release });
  }

  #cut(reply: Reply): void {
    this.#settle(reply);
    this.#controller?.abort(new Error(reply.kind));
  }

  /** A refusal is known by its status, however long the page that comes with it. */
  #cutLong(): void {
    if (this.#status < 300) return this.#cut({ kind: "too_long" });
    this.#answer(Buffer.alloc(BODY_PADDING), 0);
    this.#controller?.abort(new Error("too long"));
  }

  #settle(reply: Reply): void {
    if (this.#end()) this.resolve(reply);
  }

  /** @returns whether this was the first time */
  #end(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.signal.removeEventListener("abort", this.#onAbort);
    return true;
  }

  #header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
}

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) } as const;

/** A service that packs its answers though it was asked not to. `maxBytes` bounds what comes out. */
async function unpack(encoding: string, packed: Buffer, maxBytes: number): Promise<Buffer> {
  for (const [name, decode] of Object.entries(DECODERS)) {
    if (name === encoding.trim().toLowerCase()) return decode(packed, { maxOutputLength: maxBytes });
  }
  throw Object.assign(new Error("unknown content encoding"), { code: "UNKNOWN_CONTENT_ENCODING" });
}

const isTooLarge = (error: unknown): boolean => codeOf(error) === "ERR_BUFFER_TOO_LARGE";

/** Never the message: it may name what was sent. */
function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "UNKNOWN";
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error("aborted", { cause: reason });
