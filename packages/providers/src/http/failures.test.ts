import { describe, expect, it } from "vitest";
import { profileOf } from "../profile.test-data.js";
import { Failures, judgeStatus, reasonOf } from "./failures.js";
import { BODY_PADDING, bodyBytes } from "./number-rows.js";
import { serviceAccess } from "./service-access.js";

describe("judgeStatus", () => {
  it.each([
    [301, "fail", "EMB_PROVIDER_NOT_FOUND"],
    [307, "fail", "EMB_PROVIDER_NOT_FOUND"],
    [400, "split", undefined],
    [401, "fail", "EMB_PROVIDER_UNAUTHORIZED"],
    [403, "fail", "EMB_PROVIDER_UNAUTHORIZED"],
    [404, "fail", "EMB_PROVIDER_NOT_FOUND"],
    [408, "retry", "timeout"],
    [409, "fail", "EMB_PROVIDER_REJECTED"],
    [413, "split", undefined],
    [422, "split", undefined],
    [429, "retry", "rate_limited"],
    [500, "retry", "server_error"],
    [503, "retry", "server_error"],
    [529, "retry", "server_error"],
  ])("%i: %s %s", (status, kind, detail) => {
    const verdict = judgeStatus(status);
    expect(verdict.kind).toBe(kind);
    expect(verdict.kind === "retry" ? verdict.reason : verdict.kind === "fail" ? verdict.code : undefined).toBe(detail);
  });
});

describe("reasonOf", () => {
  const read = (text: string, secret: string | null = "sk-very-secret") =>
    reasonOf(bodyBytes(Buffer.concat([Buffer.from(text)], text.length + BODY_PADDING), text.length), secret);
  it.each([
    [
      '{"error":{"message":"My text","type":"invalid_request_error","code":"context_length_exceeded"}}',
      "context_length_exceeded",
    ],
    ['{"error":{"message":"My text","type":"invalid_request_error","code":null}}', "invalid_request_error"],
    ['{"error":"My text","error_type":"Validation"}', "Validation"],
    ['{"message":"My text"}', null],
    ['{"error":{"code":"a sentence with the text"}}', null],
    ['{"error":{"code":"sk-very-secret"}}', null],
    ["<html>My text</html>", null],
    ["", null],
  ])("reads %s as %j", (body, reason) => {
    expect(read(body)).toBe(reason);
  });
});

describe("serviceAccess", () => {
  const profile = profileOf({ provider: "jina-ai", serviceUrl: "http://manifest:81/base/" });
  it.each([
    [{}, "http://manifest:81", "/base", "", "manifest", 81, null],
    [{ JINA_API_URL: " https://env/v1?x=1 ", JINA_API_KEY: " k " }, "https://env", "/v1", "?x=1", "env", 443, "k"],
  ])("%j", (env, origin, path, query, serverAddress, serverPort, apiKey) => {
    expect(serviceAccess(profile, env, "https://public/v1")).toMatchObject({
      origin,
      path,
      query,
      serverAddress,
      serverPort,
      apiKey,
    });
  });

  it("falls back to the public address, and says what is missing without one", () => {
    const bare = profileOf({ provider: "jina-ai" });
    expect(serviceAccess(bare, {}, "https://public/v1")).toMatchObject({ origin: "https://public", host: "public" });
    expect(() => serviceAccess(bare, {}, null)).toThrow(expect.objectContaining({ code: "EMB_REQUIREMENT_MISSING" }));
  });

  it.each(["ftp://host", "not an address", "http://user:secret@host"])("refuses %s without repeating it", (address) => {
    const attempt = () => serviceAccess(profile, { JINA_API_URL: address }, null);
    expect(attempt).toThrow(expect.objectContaining({ code: "EMB_ENV_INVALID" }));
    expect(attempt).not.toThrow("secret");
  });

  it.each(["two\nlines", "ключ", "a\u0000b"])(
    "refuses a key that no header can carry, without repeating it: %j",
    (key) => {
      const attempt = () => serviceAccess(profile, { JINA_API_KEY: key }, null);
      expect(attempt).toThrow(
        expect.objectContaining({
          code: "EMB_ENV_INVALID",
          message: "JINA_API_KEY holds a character that no HTTP header can carry.",
        }),
      );
    },
  );
});

describe("Failures", () => {
  it("name a strange model only when its name looks like one", () => {
    const failures = new Failures(profileOf({ modelId: "a" }), "host");
    expect(failures.anotherModel("b-2").message).toContain('vectors of the model "b-2", "a" was asked for');
    expect(failures.anotherModel("some text of a document").message).toContain("the model another name");
  });
});
