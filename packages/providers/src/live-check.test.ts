import { createServer, type RequestListener, type Server } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Profile } from "@emb/manifest";
import { checkLive } from "./live-check.js";
import { profileOf } from "./profile.test-data.js";

let dataDir: string;
let server: Server | undefined;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "emb-live-"));
});
afterAll(() => rm(dataDir, { recursive: true }));
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** A service on loopback, and the profile that names it. */
async function hosted(answer: RequestListener, changes: Partial<Omit<Profile, "limits">> = {}): Promise<Profile> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return profileOf({
    provider: "openai-compatible",
    modelId: "m",
    dims: 2,
    serviceUrl: `http://127.0.0.1:${port}`,
    ...changes,
  });
}
const json =
  (value: unknown): RequestListener =>
  (request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  };
const answer = (embedding: number[], model = "m") => json({ data: [{ index: 0, embedding }], model });

const check = (profile: Profile, { timeoutMs = 60_000, signal = new AbortController().signal } = {}) => {
  let now = 0;
  return checkLive(profile, { env: {}, dataDir }, { signal, timeoutMs, nowMs: () => (now += 5) });
};
const failed = { ok: false, dims: null, norm: null, latencyMs: null };

describe("a live check", { timeout: 60_000 }, () => {
  it("of a model in process", async () => {
    const seen = await check(profileOf());
    expect(seen).toEqual({
      ok: true,
      dims: 384,
      norm: expect.closeTo(1, 4),
      latencyMs: 5,
      model: "sentence-transformers/all-MiniLM-L6-v2",
      error: null,
    });
  });

  it("of a service: the model is the one that it names", async () => {
    expect(await check(await hosted(answer([0.6, 0.8])))).toEqual({
      ok: true,
      dims: 2,
      norm: expect.closeTo(1, 6),
      latencyMs: 5,
      model: "m",
      error: null,
    });
  });

  it("of a service that names no model", async () => {
    const seen = await check(await hosted(json({ data: [{ index: 0, embedding: [0.6, 0.8] }] })));
    expect(seen).toMatchObject({ ok: true, model: null });
  });

  it.each([
    { of: "another model", reply: answer([0.6, 0.8], "other") },
    { of: "other dims", reply: answer([1, 0, 0]) },
    { of: "another norm", reply: answer([3, 4]) },
  ])("fails on $of", async ({ reply }) => {
    const seen = await check(await hosted(reply));
    expect(seen).toMatchObject({ ...failed, model: null, error: { code: "EMB_PROVIDER_RESPONSE_INVALID" } });
  });

  it("fails on a key that is refused, and on a model that is not here", async () => {
    const refused = await hosted((request, response) => {
      request.resume();
      response.writeHead(401).end();
    });
    expect(await check(refused)).toMatchObject({ ...failed, error: { code: "EMB_PROVIDER_UNAUTHORIZED" } });
    expect(await check(profileOf({ modelId: "no/such-model" }))).toMatchObject({
      ...failed,
      error: { code: "EMB_MODEL_UNAVAILABLE" },
    });
  });

  it("ends in time when the service does not answer", async () => {
    const silent = await hosted((request) => void request.resume());
    expect(await check(silent, { timeoutMs: 200 })).toEqual({
      ...failed,
      model: null,
      error: {
        code: "EMB_PROVIDER_UNAVAILABLE",
        message: 'The model of profile "st_minilm" gave no answer within 200 ms.',
        hint: "Look at the service, and at the network between.",
      },
    });
  });

  it("throws the reason of whoever stops it", async () => {
    const stop = new AbortController();
    const silent = await hosted((request) => {
      request.resume();
      stop.abort(new Error("stopped"));
    });
    await expect(check(silent, { signal: stop.signal })).rejects.toThrow("stopped");
  });
});
