import { describe, expect, it } from "vitest";
import { EmbError } from "@emb/manifest";
import type { TelemetryLabels } from "@emb/providers";
import { secretsOf, withoutQuoted } from "./redaction.js";
import { createServiceLog, errorFields } from "./service-log.js";
import { reportServiceError } from "./service-main.js";

const SECRETS = {
  JINA_API_KEY: "jina_4f1c9d",
  DATABASE_URL: "postgres://emb:p%40ss%2Fword@db.internal:5432/emb",
  QDRANT_URL: "https://reader:qdr4nt-pw@qdrant.internal",
  OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20otlp-secret,x-team=search7",
  WEIRD_TOKEN: 'quo"te\\back',
};

async function written(work: (log: Awaited<ReturnType<typeof createServiceLog>>) => void): Promise<unknown[]> {
  const lines: string[] = [];
  work(await createServiceLog({ write: (line) => void lines.push(line), env: SECRETS }));
  return lines.map((line): unknown => JSON.parse(line));
}

describe("a line of the log", () => {
  it("is one JSON object with level, time, event and the labels it was given last", async () => {
    const labels: TelemetryLabels = {
      embedding_profile: "one",
      embedding_provider: "openai",
      embedding_model: "m",
      embedding_dims: 2,
      embedding_namespace: "docs_one",
      embedding_namespace_mode: "profile",
      embedding_strict_mode: false,
      embedding_profile_swappable: true,
      embedding_profile_experiment: "one",
    };
    const [before, after, again] = await written((log) => {
      log.info({ event: "a", message: "hello" });
      log.with(labels).warn({ event: "b" });
      log
        .with(labels)
        .with({ ...labels, embedding_namespace: "other" })
        .error({ event: "c" });
    });
    expect(before).toEqual({ level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), event: "a", message: "hello" });
    expect(after).toEqual({ level: "warn", time: expect.any(String), ...labels, event: "b" });
    expect(again).toMatchObject({ level: "error", embedding_namespace: "other", event: "c" });
  });

  it.each([
    ["a key", "the key jina_4f1c9d was refused", "the key [redacted] was refused"],
    ["a database's password", "no pg_hba entry for p@ss/word", "no pg_hba entry for [redacted]"],
    ["an address with a password", SECRETS.DATABASE_URL, "postgres://emb:[redacted]@db.internal:5432/emb"],
    ["an address that is not in the environment", "at redis://me:hunter2@cache/0", "at redis://me:[redacted]@cache/0"],
    ["an Authorization header", "sent Authorization: Bearer abc.def-123", "sent Authorization: Bearer [redacted]"],
    ["a header of the collector", "Bearer%20otlp-secret", "[redacted]"],
    ["a secret with quotes and backslashes", `saw quo"te\\back there`, "saw [redacted] there"],
    ["nothing", "chunk 7 of 12: https://host:8080/path@2", "chunk 7 of 12: https://host:8080/path@2"],
  ])("holds no secret: %s", async (_, message, clean) => {
    const [line] = await written((log) => log.error({ event: "x", message, deep: { list: [message] } }));
    expect(line).toMatchObject({ message: clean, deep: { list: [clean] } });
  });

  it("leaves fields out that are named like a secret", async () => {
    const [line] = await written((log) =>
      log.error({ event: "x", headers: { a: 1 }, api_key: "unknown-key", authorization: "z" }),
    );
    expect(line).toEqual({ level: "error", time: expect.any(String), event: "x" });
  });
});

describe("the secrets of an environment", () => {
  it("are values of variables named like one, and passwords in addresses; short values are words", () => {
    expect(
      secretsOf({ ...SECRETS, HOME: "/root/home", MONKEY: "banana", A_KEY: "short", EMPTY_TOKEN: undefined }),
    ).toEqual([
      "authorization=Bearer%20otlp-secret,x-team=search7",
      "Bearer%20otlp-secret",
      "p%40ss%2Fword",
      "jina_4f1c9d",
      'quo"te\\back',
      "p@ss/word",
      "qdr4nt-pw",
      "search7",
      "banana",
    ]);
  });
});

describe("what is said of an error", () => {
  it("of ours: code, message, hint, context and problems; of its causes names and codes", () => {
    const socket = Object.assign(new Error("connect to hunter2 failed"), { code: "ECONNREFUSED" });
    const cause = new TypeError("Bearer abcdefgh", { cause: socket });
    const error = new EmbError("EMB_STORE_UNAVAILABLE", "gone", { hint: "Wait.", context: { attempt: 2 }, cause });
    expect(errorFields(error)).toEqual({
      code: "EMB_STORE_UNAVAILABLE",
      message: "gone",
      hint: "Wait.",
      attempt: 2,
      cause: ["TypeError", "Error ECONNREFUSED"],
    });
  });

  it("of others: the message without what it quotes, and places in the code", () => {
    const seen: Error[] = [];
    try {
      JSON.parse("hunter2 is my question");
    } catch (error) {
      if (error instanceof Error) seen.push(error);
    }
    const { places, ...fields } = errorFields(seen[0]);
    expect(fields).toEqual({
      code: "EMB_INTERNAL",
      message: `Unexpected token '...', "..."... is not valid JSON`,
      error: "SyntaxError",
    });
    expect(places).toEqual(expect.arrayContaining([expect.stringMatching(/^at .*service-log\.test\.ts:\d+/)]));
    expect(JSON.stringify(places)).not.toContain("hunter2");
    expect(errorFields("hunter2")).toEqual({
      code: "EMB_INTERNAL",
      message: "something was thrown that is no Error: string",
    });
  });

  it.each([
    ['invalid input syntax for type bigint: "my question"', 'invalid input syntax for type bigint: "..."'],
    ['cut off: "my questi', 'cut off: "..."'],
    [`can't read "foo's "bar" baz"`, `can't read "..."`],
    ['column "a" of relation "b"', 'column "..."'],
    ["it's plain", "it's plain"],
    ["Key (id)='a b'", "Key (id)='...'"],
  ])("quotes nothing: %s", (message, clean) => expect(withoutQuoted(message)).toBe(clean));
});

describe("why a service stopped", () => {
  const end = async (error: unknown, signal = new AbortController().signal) => {
    const codes: number[] = [];
    const lines = await written((log) => void codes.push(reportServiceError(error, { log, signal })));
    return { code: codes[0], lines };
  };

  it.each([
    ["EMB_PROFILE_OVERRIDE_REFUSED", "gate.refused", 78],
    ["EMB_PROFILE_UNKNOWN", "gate.refused", 78],
    ["EMB_SEAL_MISMATCH", "start.failed", 78],
    ["EMB_STORE_LOCKED", "start.failed", 75],
  ] as const)("is one line with %s", async (code, event, exit) => {
    const ended = await end(new EmbError(code, "why", { hint: "Do this." }));
    expect(ended.code).toBe(exit);
    expect(ended.lines).toEqual([
      { level: "error", time: expect.any(String), event, code, message: "why", hint: "Do this." },
    ]);
  });

  it("is nothing when it was asked to", async () => {
    expect(await end(new Error("x"), AbortSignal.abort())).toEqual({ code: 130, lines: [] });
  });
});
