// @ts-check
import { createServer } from "node:http";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { createSchedule, Fault, isMultiVector, isSound, isSparseRow, spoilItems } from "./faults.js";
import { writeJson } from "./json-writer.js";
import { PROTOCOL_IDS, PROTOCOLS } from "./protocols.js";
import { multiVectorOf, sparseOf, tokensOf, truncated, vectorOf } from "./vectors.js";

/** @typedef {import("./protocols.js").Asked} Asked */
/** @typedef {import("./protocols.js").Protocol} Protocol */
/** @typedef {import("./faults.js").What} What */

export const ServiceSettings = z.strictObject({
  protocol: z.enum(PROTOCOL_IDS),
  key: z.string(),
  model: z.strictObject({ id: z.string(), dims: z.int(), maxInputTokens: z.int() }),
});
export const Script = z.strictObject({
  faults: z.array(Fault).default([]),
  /** Before each answer. */
  delayMs: z.int().default(0),
});

/**
 * @typedef {object} RequestRecord
 * @property {string} path
 * @property {number} status 0 while there is none, or when the connection was cut before
 * @property {readonly string[]} texts
 * @property {What["kind"]} fault
 * @property {boolean} answered 200, sound and handed over whole
 * @property {boolean} again a text of it had been answered before it came
 * @property {boolean} base64
 * @property {string} acceptEncoding
 * @property {number} bytesSent of the body
 * @property {number} atMs when it came, monotonic
 */

/**
 * One embedding service on a port of its own.
 * @param {z.infer<typeof ServiceSettings>} settings
 */
export async function openService({ protocol: id, key, model }) {
  const protocol = PROTOCOLS[id];
  let script = Script.parse({});
  let schedule = createSchedule([]);
  /** @type {RequestRecord[]} */
  let requests = [];
  /** @type {Set<string>} */
  const answeredTexts = new Set();
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let [inFlight, maxInFlight, connections, keySeen] = [0, 0, 0, false];

  /** @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} response */
  async function handle(request, response) {
    const path = request.url ?? "";
    keySeen ||= request.rawHeaders.some((value) => value.includes(key)) || path.includes(key);
    /** @type {RequestRecord} */
    const record = {
      path,
      status: 0,
      texts: [],
      fault: "none",
      answered: false,
      again: false,
      base64: false,
      acceptEncoding: request.headers["accept-encoding"] ?? "",
      bytesSent: 0,
      atMs: performance.now(),
    };
    requests.push(record);
    const body = await readText(request);
    const read = understand(request, path, body);
    if ("asked" in read) {
      record.texts = read.asked.texts;
      record.base64 = read.asked.base64;
      record.again = read.asked.texts.some((text) => answeredTexts.has(text));
    }
    const what = schedule({ texts: record.texts, base64: record.base64, path, inFlight });
    record.fault = what.kind;
    if (script.delayMs > 0) await sleep(script.delayMs);
    if (response.destroyed) return;

    /** @param {number} status @param {unknown} document @param {Record<string, string>} [headers] */
    const send = (status, document, headers = {}) => {
      record.status = status;
      const bytes = Buffer.from(typeof document === "string" ? document : writeJson(document));
      record.bytesSent = bytes.length;
      response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length, ...headers });
      response.end(bytes);
    };

    if (what.kind === "status") {
      const { status, echo, messageBytes = 0 } = what;
      const refusal = protocol.error({ status, message: `refused${"x".repeat(messageBytes)}` });
      const sent = request.headers.authorization?.slice("Bearer ".length) ?? "nothing";
      return send(status, echo ? echoOf(sent, record.texts) : refusal, {
        ...(echo ? { "x-echo": sent } : {}),
        ...what.headers,
      });
    }
    if (what.kind === "hang" && what.where === "headers") return;
    if (what.kind === "reset" && what.where === "headers") return void request.socket.resetAndDestroy();
    if ("refusal" in read) return send(read.refusal.status, protocol.error(read.refusal));
    if ("document" in read) return send(200, read.document);
    if (what.kind === "body") return send(200, what.body, { "content-type": what.contentType ?? "application/json" });

    const { asked, route } = read;
    const dims = asked.dims ?? model.dims;
    const items = asked.texts.map((sent, index) => ({ index, embedding: embeddingOf(route.kind, sent, asked, dims) }));
    const spoilt = spoilItems(items, what, asked.base64).map(({ index, embedding }) => ({
      index,
      embedding: encoded(embedding, asked.base64, id === "tei"),
    }));
    const document = route.answer({
      asked,
      items: spoilt,
      tokens: asked.texts.reduce((sum, sent) => sum + tokensOf(sent), 0),
      model: what.kind === "model" ? what.model : (asked.model ?? model.id),
    });
    const sound = isSound(what);
    response.once("finish", () => {
      record.answered = sound;
      if (sound) for (const text of record.texts) answeredTexts.add(text);
    });
    const text = writeJson(document, what.kind === "style" ? what.style : {});
    record.status = 200;
    await transmit(response, Buffer.from(text), what, record);
  }

  /**
   * What a request asks for, or how the service refuses it.
   * @param {import("node:http").IncomingMessage} request @param {string} path @param {string} body
   * @returns {{ asked: Asked, route: import("./protocols.js").Route } | { refusal: import("./protocols.js").Refusal } | { document: unknown }}
   */
  function understand(request, path, body) {
    const { authorization } = request.headers;
    const keyed = authorization === `Bearer ${key}`;
    if (!keyed && (protocol.key === "required" || authorization !== undefined))
      return { refusal: { status: 401, message: "Invalid API key." } };
    const info = protocol.info?.[path];
    if (info !== undefined && request.method === "GET") return { document: info(model) };
    const route = protocol.routes[path];
    if (route === undefined) return { refusal: { status: 404, message: `No such path: ${path}` } };
    if (request.method !== "POST") return { refusal: { status: 405, message: "Method not allowed." } };
    if (!/^application\/json\b/.test(request.headers["content-type"] ?? ""))
      return { refusal: { status: 415, message: "Expected application/json." } };
    const { invalidStatus } = protocol;
    let asked;
    try {
      asked = route.parse(JSON.parse(body));
    } catch (error) {
      const message = error instanceof z.ZodError ? z.prettifyError(error) : "The body is not JSON.";
      return { refusal: { status: invalidStatus, message } };
    }
    const { model: named } = asked;
    if (named !== null && named !== model.id)
      return { refusal: { status: protocol.unknownModelStatus, message: `Unknown model: ${named}` } };
    if (asked.texts.length > protocol.maxItems)
      return { refusal: { status: protocol.itemsStatus ?? invalidStatus, message: "Too many texts." } };
    const counts = asked.texts.map(tokensOf);
    if (counts.reduce((sum, count) => sum + count, 0) > (protocol.maxTotalTokens ?? Infinity))
      return { refusal: { status: invalidStatus, message: "Too many tokens in one request." } };
    if (!asked.truncate && counts.some((count) => count > model.maxInputTokens))
      return { refusal: { status: protocol.tooLongStatus ?? invalidStatus, message: "A text is too long." } };
    return { asked, route };
  }

  /** @param {import("./protocols.js").Kind} kind @param {string} sent @param {Asked} asked @param {number} dims */
  function embeddingOf(kind, sent, asked, dims) {
    const text = tokensOf(sent) > model.maxInputTokens ? truncated(sent, model.maxInputTokens) : sent;
    if (kind === "sparse") return sparseOf(text);
    if (kind === "multi_vector") return { vectors: multiVectorOf(text, dims) };
    return vectorOf(text, asked.task, dims, asked.normalize ? (protocol.norm ?? 1) : 3);
  }

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    inFlight++;
    maxInFlight = Math.max(maxInFlight, inFlight);
    response.once("close", () => inFlight--);
    handle(request, response).catch((error) => {
      process.stderr.write(`${error.stack}\n`);
      response.destroy();
    });
  });
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  return {
    port: address.port,
    /** @param {z.infer<typeof Script>} next */
    play(next) {
      script = next;
      schedule = createSchedule(next.faults);
    },
    report: () => ({ requests, inFlight, maxInFlight, openSockets: sockets.size, connections, keySeen }),
    forget() {
      requests = [];
      answeredTexts.clear();
      [maxInFlight, connections, keySeen] = [inFlight, 0, false];
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * @param {unknown} embedding @param {boolean} base64 @param {boolean} pairs a sparse row as [{index, value}]
 * @returns {unknown}
 */
function encoded(embedding, base64, pairs) {
  if (embedding instanceof Float32Array && base64)
    return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength).toString("base64");
  if (isMultiVector(embedding)) return { vectors: embedding.vectors.map((vector) => encoded(vector, base64, pairs)) };
  if (isSparseRow(embedding) && pairs)
    return embedding.indices.map((index, i) => ({ index, value: embedding.values[i] }));
  return embedding;
}

/**
 * Sends a body as the fault wants it.
 * @param {import("node:http").ServerResponse} response @param {Buffer} bytes @param {What} what @param {RequestRecord} record
 */
async function transmit(response, bytes, what, record) {
  /** @param {Buffer} chunk */
  const write = async (chunk) => {
    record.bytesSent += chunk.length;
    if (!response.write(chunk) && !response.destroyed) await drained(response);
  };
  /** @param {number | undefined} length @param {Record<string, string>} [headers] */
  const begin = (length, headers = {}) =>
    response.writeHead(200, {
      "content-type": "application/json",
      ...(length === undefined ? {} : { "content-length": length }),
      ...headers,
    });
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));

  switch (what.kind) {
    case "truncated":
      begin(half.length);
      record.bytesSent = half.length;
      return void response.end(half);
    case "hang":
      begin(bytes.length);
      return write(half);
    case "reset":
      begin(bytes.length);
      await write(half);
      await sleep(5); // so that the half is on its way
      return void response.socket?.resetAndDestroy();
    case "drip":
      begin(bytes.length);
      for (const byte of bytes) {
        if (response.destroyed) return;
        await write(Buffer.of(byte));
        await sleep(what.everyMs);
      }
      return void response.end();
    case "huge": {
      begin(what.contentLength ? what.bytes : undefined);
      const start = bytes.indexOf("[");
      await write(bytes.subarray(0, start + 1));
      const block = Buffer.from("[0.125,0.25],".repeat(5_000));
      while (record.bytesSent + block.length < what.bytes && !response.destroyed) await write(block);
      if (response.destroyed) return;
      await write(Buffer.alloc(what.bytes - record.bytesSent, " "));
      return void response.end();
    }
    case "gzip": {
      const packed = gzipSync(Buffer.concat([bytes, Buffer.alloc(what.bombBytes ?? 0, " ")]), {
        level: 9, // a bomb is small
      });
      begin(packed.length, { "content-encoding": "gzip" });
      record.bytesSent = packed.length;
      return void response.end(packed);
    }
    case "style": {
      const { chunkBytes } = what;
      begin(chunkBytes === undefined ? bytes.length : undefined);
      if (chunkBytes === undefined) {
        record.bytesSent = bytes.length;
        return void response.end(bytes);
      }
      response.socket?.setNoDelay(true);
      for (let at = 0; at < bytes.length && !response.destroyed; at += chunkBytes) {
        await write(bytes.subarray(at, at + chunkBytes));
        await new Promise((resolve) => void setImmediate(resolve)); // each in a packet of its own, as far as the system allows
      }
      return void response.end();
    }
    case "none":
    case "status":
    case "body":
    case "items":
    case "vector":
    case "sparse":
    case "model":
      begin(bytes.length);
      record.bytesSent = bytes.length;
      response.end(bytes);
  }
}

/**
 * A refusal that repeats what was sent wherever a client may look.
 * @param {string} key @param {readonly string[]} texts
 */
function echoOf(key, texts) {
  const message = `${key} may not ask for ${texts.join(" ")}`;
  const words = { message, code: key, type: key };
  return { ...words, error_type: key, detail: message, error: words };
}

/** @param {import("node:http").ServerResponse} response @returns {Promise<void>} */
const drained = (response) =>
  new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });

/** @param {AsyncIterable<Buffer>} request */
async function readText(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
