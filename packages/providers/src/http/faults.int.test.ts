import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "@emb/manifest";
import {
  closeAndCheck,
  expectRight,
  failureOf,
  IMPATIENT,
  live,
  openHosted,
  smallProfile,
  textsOf,
} from "../../test/hosted.js";
import { startLoopback, type FaultInput, type Loopback, type What } from "../../test/loopback.js";
import { PROTOCOL_IDS, type ProtocolId } from "../../test/loopback/protocols.js";

/** The batch with this word meets the fault; the batches before and after it do not. */
const MARKER = "marked";
const MARKED_INDEX = 6;
const MAX_BATCH_ITEMS = 4;
const texts = textsOf(10).with(MARKED_INDEX, `the ${MARKER} text`);

const INDEXED: readonly ProtocolId[] = ["jina-ai", "openai", "openai-compatible", "voyage", "bge-m3-service"];
const NAMES_MODEL: readonly ProtocolId[] = [...INDEXED, "ollama"];
const BASE64: readonly ProtocolId[] = ["jina-ai", "openai", "openai-compatible", "voyage", "bge-m3-service", "cohere"];

const NORMALIZED: readonly ProtocolId[] = PROTOCOL_IDS.filter((id) => id !== "cohere");

const NO_INDEX = "its items have no number, so nobody can see this";
const NO_MODEL = "its answers name no model";
const NO_BASE64 = "it has no base64";

interface Row {
  readonly name: string;
  readonly what: What;
  /** Left out: the call is answered, and rightly. */
  readonly code?: ErrorCode;
  /** Of the marked text, in the caller's list. */
  readonly index?: number;
  /** How often the fault meets the marked batch. Default: always. */
  readonly times?: number;
  readonly only?: { readonly protocols: readonly ProtocolId[]; readonly because: string };
}

const INVALID = "EMB_PROVIDER_RESPONSE_INVALID";
const UNAVAILABLE = "EMB_PROVIDER_UNAVAILABLE";
const NOT_FOUND = "EMB_PROVIDER_NOT_FOUND";
const RATE_LIMITED = "EMB_PROVIDER_RATE_LIMITED";
const UNAUTHORIZED = "EMB_PROVIDER_UNAUTHORIZED";
const REJECTED = "EMB_PROVIDER_REJECTED";

const items = (how: Extract<What, { kind: "items" }>["how"], only?: Row["only"]): Row => ({
  name: `items: ${how}`,
  what: { kind: "items", how },
  code: INVALID,
  ...(only && { only }),
});
const vector = (how: Extract<What, { kind: "vector" }>["how"], only?: Row["only"]): Row => ({
  name: `vector: ${how}`,
  what: { kind: "vector", how },
  code: INVALID,
  ...(only && { only }),
});
const body = (name: string, text: string, contentType?: string): Row => ({
  name: `200 with ${name}`,
  what: { kind: "body", body: text, ...(contentType !== undefined && { contentType }) },
  code: INVALID,
});
const status = (
  code: ErrorCode,
  number: number,
  headers: Record<string, string> = {},
  more: Partial<Row> = {},
): Row => ({
  name: `${number} ${JSON.stringify(headers)}`,
  what: { kind: "status", status: number, headers, echo: true },
  code,
  ...more,
});
/** A passing fault: met so often, then no more, and the call is answered. */
const passing = ({ name, what }: Row, times = 1): Row => ({ name: `${name}, ${times} times`, what, times });
const sound = (name: string, what: What, only?: Row["only"]): Row => ({ name, what, ...(only && { only }) });

const indexed = { protocols: INDEXED, because: NO_INDEX };
const base64 = { protocols: BASE64, because: NO_BASE64 };

const hangs = (["headers", "body"] as const).map((where): Row => ({
  name: `a hang before the ${where}`,
  what: { kind: "hang", where },
  code: UNAVAILABLE,
}));
const resets = (["headers", "body"] as const).map((where): Row => ({
  name: `a reset in the ${where}`,
  what: { kind: "reset", where },
  code: UNAVAILABLE,
}));
const drip: Row = { name: "a byte each 100 ms", what: { kind: "drip", everyMs: 100 }, code: UNAVAILABLE };
const down = [500, 502, 503, 504].map((number) => status(UNAVAILABLE, number));
/** Nonsense and a date long past count as no header. */
const retryAfter = [
  {},
  { "retry-after": "0" },
  { "retry-after": "soon" },
  { "retry-after": "-5" },
  { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" },
];
const limited = retryAfter.map((headers) => status(RATE_LIMITED, 429, headers));

const ROWS: readonly Row[] = [
  ...(["drop", "double", "extra", "none"] as const).map((how) => items(how)),
  ...(["misnumber", "same-number", "negative", "fraction"] as const).map((how) => items(how, indexed)),
  ...(
    [
      "short",
      "long",
      "empty",
      "nan",
      "infinity",
      "overflow",
      "infinity-token",
      "null",
      "null-component",
      "string-component",
      "zero",
      "number",
    ] as const
  ).map((how) => vector(how)),
  vector("scaled", { protocols: NORMALIZED, because: "its model promises no norm" }),
  ...(["half-bytes", "not-base64"] as const).map((how) => vector(how, base64)),
  {
    name: "another model's name",
    what: { kind: "model", model: "another/model" },
    code: INVALID,
    only: { protocols: NAMES_MODEL, because: NO_MODEL },
  },
  body("HTML", "<!doctype html><title>Sign in</title>", "text/html"),
  body("nothing", ""),
  body("null", "null"),
  body("a number", "7"),
  body("an empty list", "[]"),
  body("an error", '{"error":{"message":"overloaded","type":"server_error"}}'),
  body("two documents", "{}{}"),
  { name: "half a document", what: { kind: "truncated" }, code: INVALID },
  { name: "50 MB", what: { kind: "huge", bytes: 50_000_000 }, code: INVALID },
  { name: "50 MB, announced", what: { kind: "huge", bytes: 50_000_000, contentLength: true }, code: INVALID },
  { name: "gzip of 50 MB", what: { kind: "gzip", bombBytes: 3_000_000 }, code: INVALID },
  status(UNAUTHORIZED, 401),
  status(UNAUTHORIZED, 403),
  status(NOT_FOUND, 404),
  status(NOT_FOUND, 405),
  ...[400, 413, 422].map((number) => status(REJECTED, number, {}, { index: MARKED_INDEX })),
  status(REJECTED, 418),
  ...down,
  ...hangs,
  ...resets,
  drip,
  ...limited,
  status(RATE_LIMITED, 429, { "retry-after": "3600" }),
  ...[...down, ...hangs, ...resets, drip].map((row) => passing(row)),
  ...limited.map((row) => passing(row, 3)),
  sound("items out of order", { kind: "items", how: "reorder" }, indexed),
  sound("gzip that nobody asked for", { kind: "gzip" }),
  sound("pieces of 7 bytes", { kind: "style", chunkBytes: 7 }),
  sound("pieces of 61 bytes", { kind: "style", chunkBytes: 61 }),
  sound("white space everywhere", { kind: "style", style: { whitespace: true } }),
  sound("the last key first", { kind: "style", style: { reverseKeys: true } }),
  sound("unknown fields", { kind: "style", style: { extraFields: true } }),
  sound("numbers with exponents", { kind: "style", style: { exponents: true } }),
  sound("escaped texts", { kind: "style", style: { escapes: true } }),
  sound("everything unusual at once", {
    kind: "style",
    style: { whitespace: true, reverseKeys: true, extraFields: true, exponents: true, escapes: true },
    chunkBytes: 97,
  }),
];

let loopback: Loopback;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterAll(() => loopback.close());

/** What ends only by the client's own timeout. On a busy machine a sound answer may then come too late as well. */
const isSlow = ({ kind }: What) => kind === "hang" || kind === "drip";
const SLOW_TUNING = { ...IMPATIENT, timeoutMs: { query: 400, document: 400 } };

const open = async (protocol: ProtocolId, what: What) =>
  openHosted(loopback, protocol, await smallProfile(protocol, { limits: { maxBatchItems: MAX_BATCH_ITEMS } }), {
    tuning: isSlow(what) ? SLOW_TUNING : IMPATIENT,
  });

describe.each(PROTOCOL_IDS)("%s", { concurrent: true, timeout: 20_000 }, (protocol) => {
  it.for(ROWS)("$name", async ({ what, code, index, times, only }, { skip }) => {
    if (only !== undefined && !only.protocols.includes(protocol)) skip(only.because);
    const hosted = await open(protocol, what);
    const fault: FaultInput = { what, when: { marker: MARKER }, ...(times !== undefined && { times }) };
    await hosted.service.play([fault]);
    const startMs = performance.now();
    if (code === undefined) {
      expectRight(await hosted.provider.embedDocuments(texts, live), texts, hosted);
      expect(hosted.events.at(-1)).toMatchObject({ kind: "call", outcome: "ok", texts: texts.length });
    } else {
      const error = await failureOf(hosted.provider.embedDocuments(texts, live));
      expect(error).toMatchObject({ code, ...(index !== undefined && { context: { index } }) });
      expect(hosted.events.at(-1)).toMatchObject({ kind: "call", outcome: code, texts: texts.length });
    }
    expect(performance.now() - startMs).toBeLessThan(10_000);
    const { requests } = await hosted.service.report();
    if (!isSlow(what)) expect(requests.filter(({ again }) => again)).toEqual([]);
    // What is over the client's bound lies in buffers of the system, some MB.
    expect(Math.max(...requests.map(({ bytesSent }) => bytesSent))).toBeLessThan(25_000_000);
    await closeAndCheck(hosted);
  });
});

describe("a model that promises no norm", () => {
  it.each(["short", "long", "empty", "nan", "zero"] as const)("is held to its dims and to numbers: %s", async (how) => {
    const { capabilities } = await smallProfile("tei");
    const profile = await smallProfile("tei", { capabilities: { ...capabilities, normalizedOutput: false } });
    const hosted = await openHosted(loopback, "tei", profile);
    await hosted.service.play([{ what: { kind: "vector", how } }]);
    expect(await failureOf(hosted.provider.embedDocuments(texts, live))).toMatchObject({ code: INVALID });
    await closeAndCheck(hosted);
  });
});
