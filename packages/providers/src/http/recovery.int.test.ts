import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  closeAndCheck,
  expectRight,
  failureOf,
  IMPATIENT,
  KEY,
  live,
  openHosted,
  smallProfile,
  textsOf,
  virtualWaiting,
  type Hosted,
  type HostedSettings,
} from "../../test/hosted.js";
import { startLoopback, type FaultInput, type Loopback } from "../../test/loopback.js";
import { PROTOCOL_IDS, type ProtocolId } from "../../test/loopback/protocols.js";
import type { ProviderEvent } from "../provider-events.js";
import { PATIENT_QUERIES } from "./http-tuning.js";

/** Requests at once before the client has learnt anything: adaptive-limit.ts. */
const FIRST_LIMIT = 8;

let loopback: Loopback;
let hosted: Hosted;
beforeAll(async () => {
  loopback = await startLoopback();
});
afterEach(() => closeAndCheck(hosted));
afterAll(() => loopback.close());

async function open(protocol: ProtocolId, maxBatchItems: number, settings: HostedSettings = {}): Promise<Hosted> {
  hosted = await openHosted(loopback, protocol, await smallProfile(protocol, { limits: { maxBatchItems } }), settings);
  return hosted;
}
const eventsOf = <K extends ProviderEvent["kind"]>(kind: K) =>
  hosted.events.filter((event): event is ProviderEvent & { kind: K } => event.kind === kind);
const embed = (texts: readonly string[], signal: AbortSignal = live.signal) =>
  hosted.provider.embedDocuments(texts, { signal });
const requests = async () => (await hosted.service.report()).requests;
const sentAgain = async () => (await requests()).filter(({ again }) => again);

const down = (status: number, more: Omit<FaultInput, "what"> = {}): FaultInput => ({
  what: { kind: "status", status },
  ...more,
});

describe("a redirect", () => {
  it.each([301, 302, 303, 307, 308])("%i to another host is not followed, with the key or without", async (status) => {
    await open("openai", 4);
    const other = await loopback.open({
      protocol: "openai",
      key: KEY,
      model: { id: hosted.profile.modelId, dims: hosted.profile.dims, maxInputTokens: 100 },
    });
    const headers = { location: `${other.origin}/v1/embeddings` };
    await hosted.service.play([{ what: { kind: "status", status, headers } }]);
    expect(await failureOf(embed(["a"]))).toMatchObject({ code: "EMB_PROVIDER_NOT_FOUND", context: { status } });
    expect((await requests()).length).toBe(1);
    expect(await other.report()).toMatchObject({ connections: 0, keySeen: false, requests: [] });
    await other.close();
  });
});

describe("Retry-After", () => {
  const nowMs = Date.UTC(2026, 10, 24, 12);
  it.each([
    ["7", 7_000],
    ["Tue, 24 Nov 2026 12:00:30 GMT", 30_000],
  ])("%s with 429 is waited for, and the batch then answered", async (value, waitMs) => {
    const { waits, ...tuning } = virtualWaiting();
    await open("openai", 4, { tuning: { ...tuning, wallClockMs: () => nowMs } });
    await hosted.service.play([{ what: { kind: "status", status: 429, headers: { "retry-after": value } }, times: 1 }]);
    const texts = textsOf(3);
    expectRight(await embed(texts), texts, hosted);
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThanOrEqual(waitMs);
    expect(waits[0]).toBeLessThan(waitMs + 1_000);
    expect(eventsOf("rate_limited")).toEqual([{ kind: "rate_limited", retryAfterMs: waitMs }]);
    expect(eventsOf("retry")).toEqual([{ kind: "retry", reason: "rate_limited", delayMs: waits[0] }]);
    expect((await requests()).map(({ status }) => status)).toEqual([429, 200]);
  });

  it.each(["soon", "-1", ""])("%j is no wish: the wait is the client's own", async (value) => {
    const { waits, ...tuning } = virtualWaiting();
    await open("openai", 4, {
      tuning: { ...tuning, random: () => 0.5, backoff: { firstDelayMs: 80, maxDelayMs: 500 } },
    });
    await hosted.service.play([{ what: { kind: "status", status: 429, headers: { "retry-after": value } }, times: 2 }]);
    await embed(["a"]);
    expect(waits).toEqual([40, 80]);
  });

  it("with 503 is waited for too", async () => {
    const { waits, ...tuning } = virtualWaiting();
    await open("openai", 4, { tuning });
    await hosted.service.play([{ what: { kind: "status", status: 503, headers: { "retry-after": "3" } }, times: 1 }]);
    await embed(["a"]);
    expect(waits[0]).toBeGreaterThanOrEqual(3_000);
  });

  it("longer than the patience ends the call at once, and says how long the service asks to wait", async () => {
    const { waits, ...tuning } = virtualWaiting();
    await open("openai", 4, { tuning });
    await hosted.service.play([{ what: { kind: "status", status: 429, headers: { "retry-after": "3600" } } }]);
    expect(await failureOf(embed(["a"]))).toMatchObject({
      code: "EMB_PROVIDER_RATE_LIMITED",
      context: { status: 429, retry_after_ms: 3_600_000 },
    });
    expect(waits).toEqual([]);
  });

  it("is waited for with a query too by whom nobody waits for", async () => {
    const { waits, ...tuning } = virtualWaiting();
    const refusals: FaultInput[] = [
      { what: { kind: "status", status: 429, headers: { "retry-after": "3" } }, times: 2 },
    ];
    await open("openai", 4, { tuning: { ...tuning, ...PATIENT_QUERIES } });
    await hosted.service.play(refusals);
    expectRight(await hosted.provider.embedQueries(["a"], live), ["a"], hosted, "query");
    expect(waits.map((ms) => Math.floor(ms / 1_000))).toEqual([3, 3]);

    await closeAndCheck(hosted);
    await open("openai", 4, { tuning });
    await hosted.service.play(refusals);
    expect(await failureOf(hosted.provider.embedQueries(["a"], live))).toMatchObject({
      code: "EMB_PROVIDER_RATE_LIMITED",
    });
  });

  it("of several refusals holds for every batch, those that wait for a place among them", async () => {
    const patient = { query: 0, document: 60_000 };
    await open("openai", 1, { tuning: { ...IMPATIENT, maxConcurrency: 20, maxRateLimitWaitMs: patient } });
    const refusal: FaultInput = {
      what: { kind: "status", status: 429, headers: { "retry-after": "1" } },
      times: FIRST_LIMIT,
    };
    await hosted.service.play([refusal], { delayMs: 30 });
    const texts = textsOf(20); // all begin at once, the first eight have a place
    expectRight(await embed(texts), texts, hosted);
    const all = await requests();
    const early = all.filter(({ atMs }) => atMs < all[0]!.atMs + 900);
    expect(early.length).toBeLessThanOrEqual(FIRST_LIMIT + 1); // the place of the first refused one: it takes two to hold all
    expect(all.length).toBe(FIRST_LIMIT + texts.length);
  });
});

describe("the number of requests under way", () => {
  it("grows while the service keeps up, falls when it refuses, and climbs back", async () => {
    await open("openai", 1, {
      tuning: { ...IMPATIENT, maxConcurrency: 32, maxRateLimitWaitMs: { query: 0, document: 60_000 } },
    });
    const round = async (faults: FaultInput[], count: number) => {
      hosted.events.length = 0;
      await hosted.service.forget();
      await hosted.service.play(faults, { delayMs: 15 });
      const texts = textsOf(count);
      expectRight(await embed(texts), texts, hosted);
      expect(await sentAgain()).toEqual([]);
      const limits = eventsOf("concurrency").map(({ limit }) => limit);
      return { limits, ...(await hosted.service.report()) };
    };
    const free = await round([], 150);
    expect(free.maxInFlight).toBeGreaterThan(8);
    expect(free.maxInFlight).toBeLessThanOrEqual(Math.max(...free.limits));
    const refusing = await round([down(429, { when: { inFlightAbove: 3 } })], 100);
    expect(Math.min(...refusing.limits)).toBeLessThanOrEqual(4);
    expect(refusing.limits.at(-1)).toBeLessThan(8);
    const freed = await round([], 400);
    expect(freed.limits.at(-1)).toBeGreaterThan(refusing.limits.at(-1)! + 3);
    expect(freed.maxInFlight).toBeGreaterThan(refusing.limits.at(-1)! + 3);
  }, 30_000);
});

describe("the breaker", () => {
  const breaker = { failures: 3, openMs: 150, maxOpenMs: 10_000 };
  const states = () => eventsOf("breaker").map(({ state }) => state);
  const query = () => hosted.provider.embedQueries(["a"], live);

  it("opens, keeps requests from the service, probes, and closes when it is back", async () => {
    await open("openai", 4, { tuning: { ...IMPATIENT, breaker } });
    await hosted.service.play([down(503)]);
    expect(await failureOf(embed(["a"]))).toMatchObject({ code: "EMB_PROVIDER_UNAVAILABLE" });
    expect(states()).toEqual(["open"]);
    const { length } = await requests();
    expect(length).toBe(3);

    expect(await failureOf(query())).toMatchObject({ code: "EMB_PROVIDER_UNAVAILABLE", retryable: true });
    expect((await requests()).length).toBe(length);

    await sleep(breaker.openMs + 20);
    await failureOf(query()); // the probe fails
    expect(states()).toEqual(["open", "half_open", "open"]);
    expect((await requests()).length).toBe(length + 1);

    await hosted.service.play([]);
    await sleep(2 * breaker.openMs + 20); // twice as long after a probe that failed
    expectRight(await query(), ["a"], hosted, "query");
    expect(states()).toEqual(["open", "half_open", "open", "half_open", "closed"]);
  });

  it("lets a long job wait for the service to come back", async () => {
    await open("openai", 2, {
      tuning: {
        ...IMPATIENT,
        maxConcurrency: 1,
        retries: { query: 0, document: 20 },
        breaker: { ...breaker, openMs: 20 },
      },
    });
    await hosted.service.play([down(503, { times: 5 })]);
    const texts = textsOf(20);
    expectRight(await embed(texts), texts, hosted);
    const probes = ["open", "half_open"];
    expect(states()).toEqual([...probes, ...probes, ...probes, "closed"]); // two of the five met probes
    expect(await sentAgain()).toEqual([]);
  });

  it("lets a query wait too, of whom nobody waits for", async () => {
    await open("openai", 4, {
      tuning: {
        ...IMPATIENT,
        ...PATIENT_QUERIES,
        retries: { query: 20, document: 20 },
        breaker: { ...breaker, openMs: 20 },
      },
    });
    await hosted.service.play([down(503, { times: 4 })]);
    expectRight(await query(), ["a"], hosted, "query");
    expect(states()).toEqual(["open", "half_open", "open", "half_open", "closed"]);
  });

  it("does not count what the service refuses", async () => {
    await open("openai", 4, { tuning: { ...IMPATIENT, breaker } });
    await hosted.service.play([down(400)]);
    for (let i = 0; i < 5; i++) await failureOf(embed(["a"]));
    expect(states()).toEqual([]);
  });
});

describe("abort", () => {
  const maxConcurrency = 6;
  const hanging: [string, FaultInput[]][] = [
    ["before the headers", [{ what: { kind: "hang", where: "headers" } }]],
    ["in the body", [{ what: { kind: "hang", where: "body" } }]],
    ["while an answer drips", [{ what: { kind: "drip", everyMs: 50 } }]],
    ["while it waits after a 429", [{ what: { kind: "status", status: 429, headers: { "retry-after": "60" } } }]],
    ["while it waits after a 503", [{ what: { kind: "status", status: 503, headers: { "retry-after": "20" } } }]],
  ];

  it.each(hanging)("ends every request within 100 ms %s, and the connections are cut or idle", async (_, faults) => {
    await open("openai", 1, { tuning: { maxConcurrency } });
    await hosted.service.play(faults);
    for (let round = 0; round < 3; round++) {
      const controller = new AbortController();
      const reason = new Error("stopped by the test");
      const calls = [textsOf(30), textsOf(5)].map((texts) =>
        embed(texts, controller.signal).catch((error: unknown) => error),
      );
      await sleep(80);
      const startMs = performance.now();
      controller.abort(reason);
      expect(await Promise.all(calls)).toEqual([reason, reason]);
      expect(performance.now() - startMs).toBeLessThan(100);
      for (let tries = 0; tries < 50 && (await hosted.service.report()).inFlight > 0; tries++) await sleep(5);
      expect((await hosted.service.report()).inFlight).toBe(0);
    }
    expect((await hosted.service.report()).openSockets).toBeLessThanOrEqual(maxConcurrency);
    expect(eventsOf("call").map(({ outcome }) => outcome)).toEqual(Array.from({ length: 6 }, () => "aborted"));

    await hosted.service.play([]);
    if (!faults.some(({ what }) => what.kind === "status")) expectRight(await embed(["a"]), ["a"], hosted);
  });

  it("ends a call that waits for a place behind another one, which goes on", async () => {
    await open("openai", 1, { tuning: { maxConcurrency } });
    await hosted.service.play([{ what: { kind: "hang", where: "headers" } }]);
    const [first, second] = [new AbortController(), new AbortController()];
    const running = embed(textsOf(20), first.signal).catch((error: unknown) => error);
    await sleep(50);
    const waiting = embed(textsOf(3), second.signal).catch((error: unknown) => error);
    await sleep(20);
    const startMs = performance.now();
    second.abort("second");
    expect(await waiting).toBe("second");
    expect(performance.now() - startMs).toBeLessThan(100);
    expect((await hosted.service.report()).inFlight).toBe(maxConcurrency);
    first.abort("first");
    expect(await running).toBe("first");
  });
});

describe("what a service refuses", () => {
  it.each([0, 31, 63])("finds the one bad text of 64, number %i, and asks no more than it must", async (index) => {
    await open("openai", 64);
    await hosted.service.play([down(400, { when: { marker: "bad" } })]);
    const texts = textsOf(64).with(index, "a bad text");
    const error = await failureOf(embed(texts));
    expect(error).toMatchObject({ code: "EMB_PROVIDER_REJECTED", context: { index, status: 400 } });
    expect(error.message).not.toContain("a bad text");
    expect(await sentAgain()).toEqual([]);
    expect((await requests()).length).toBeLessThanOrEqual(1 + 2 * Math.log2(64));
    expect(eventsOf("split").map(({ texts: size }) => size)).toEqual([64, 32, 16, 8, 4, 2]);
  });

  it("sets bad texts aside when asked to, and no other text is embedded twice", async () => {
    await open("openai", 16);
    await hosted.service.play([down(400, { when: { marker: "bad" } })]);
    const bad = [3, 4, 17, 63, 70];
    const texts = bad.reduce<string[]>((all, index) => all.with(index, `bad text ${index}`), textsOf(80)).with(20, " ");
    const aside = new Map<number, string>();
    const { dense, dims, count } = await hosted.provider.embedDocuments(texts, {
      ...live,
      setAside: (index, { code }) => aside.set(index, code),
    });
    const codes = bad.map((index) => [index, "EMB_PROVIDER_REJECTED"] as const);
    expect([...aside].toSorted(([a], [b]) => a - b)).toEqual(
      [...codes, [20, "EMB_TEXT_EMPTY"] as const].toSorted(([a], [b]) => a - b),
    );
    const kept = [...texts.keys()].filter((index) => !aside.has(index));
    const rows = Float32Array.from(kept.flatMap((index) => [...dense.subarray(index * dims, (index + 1) * dims)]));
    expectRight(
      { dense: rows, count: kept.length, dims, tokens: null },
      kept.map((index) => texts[index]!),
      hosted,
    );
    expect(count).toBe(80);
    for (const index of aside.keys())
      expect(dense.subarray(index * dims, (index + 1) * dims).every(Number.isNaN)).toBe(true);
    expect(await sentAgain()).toEqual([]);
  });

  it("tells what was answered, also when the call fails after it", async () => {
    await open("openai", 4);
    await hosted.service.play([down(401, { when: { marker: "last" } })]);
    const answered: string[] = [];
    let tokens = 0;
    const texts = [...textsOf(8), "the last text"];
    const call = hosted.provider.embedDocuments(texts, {
      ...live,
      onAnswered: (part, told) => {
        answered.push(...part);
        tokens += told ?? 0;
      },
    });
    expect(await failureOf(call)).toMatchObject({ code: "EMB_PROVIDER_UNAUTHORIZED" });
    const sound = (await requests()).filter(({ status }) => status === 200);
    expect(answered.toSorted()).toEqual(sound.flatMap((request) => request.texts).toSorted());
    expect(tokens > 0).toBe(answered.length > 0);
  });

  it("halves a batch until the service takes it", async () => {
    await open("openai", 64);
    await hosted.service.play([down(413, { when: { moreThan: 10 } })]);
    const texts = textsOf(150);
    expectRight(await embed(texts), texts, hosted);
    expect(await sentAgain()).toEqual([]);
  });

  // OpenAI's texts are counted here, exactly, before anything is sent.
  it.each(PROTOCOL_IDS.filter((id) => id !== "openai"))(
    "%s: a text that is too long and could not be counted before is named, never cut",
    async (protocol) => {
      await open(protocol, 8);
      const long = Array.from({ length: hosted.profile.limits.maxInputTokens }, () => "word").join(" ");
      expect(await failureOf(embed([...textsOf(5), long]))).toMatchObject({
        code: "EMB_PROVIDER_REJECTED",
        context: { index: 5 },
      });
    },
  );

  it.each(["openai-compatible", "bge-m3-service"] as const)(
    "%s: without base64, numbers are asked for from then on",
    async (protocol) => {
      await open(protocol, 4);
      await hosted.service.play([down(400, { when: { base64: true } })]);
      const texts = textsOf(4);
      for (let i = 0; i < 2; i++) expectRight(await embed(texts), texts, hosted);
      expect((await requests()).map(({ base64, status }) => [base64, status])).toEqual([
        [true, 400],
        [false, 200],
        [false, 200],
      ]);
    },
  );

  it("tei: a server that runs another model is not asked for vectors", async () => {
    await open("tei", 4, { servedModel: "another/model" });
    expect(await failureOf(embed(["a"]))).toMatchObject({ code: "EMB_PROVIDER_RESPONSE_INVALID" });
    expect((await requests()).map(({ path }) => path)).toEqual(["/info"]);
  });

  it("a key that the service does not know is EMB_PROVIDER_UNAUTHORIZED, and names the variable", async () => {
    await open("openai", 4);
    await hosted.service.play([{ what: { kind: "status", status: 401, echo: true } }]);
    const error = await failureOf(embed(["a"]));
    expect(error).toMatchObject({ code: "EMB_PROVIDER_UNAUTHORIZED", hint: expect.stringContaining("OPENAI_API_KEY") });
    expect((await requests()).length).toBe(1);
  });
});

describe("a service that is down for a while", () => {
  it.each<[string, FaultInput]>([
    ["500", down(500, { times: 2 })],
    [
      "503 with a page longer than any answer",
      { what: { kind: "status", status: 503, messageBytes: 500_000 }, times: 2 },
    ],
    ["429 with such a page", { what: { kind: "status", status: 429, messageBytes: 500_000 }, times: 2 }],
    ["resets before the answer", { what: { kind: "reset", where: "headers" }, times: 2 }],
    ["resets in the body", { what: { kind: "reset", where: "body" }, times: 2 }],
  ])("%s: nothing is lost, nothing answered is sent again", async (_, fault) => {
    await open("openai", 4);
    await hosted.service.play([fault]);
    const texts = textsOf(30);
    expectRight(await embed(texts), texts, hosted);
    expect(await sentAgain()).toEqual([]);
    expect(eventsOf("retry").length).toBe(2);
    expect(eventsOf("request").length).toBe((await requests()).length);
  });
});
