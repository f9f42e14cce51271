import { expect, it } from "vitest";
import { connectionFailure } from "./connection-failure.js";

const failing = (message: string, more: Record<string, string> = {}) => Object.assign(new Error(message), more);

it.each([
  ["no server", failing("connect ECONNREFUSED", { code: "ECONNREFUSED" }), "EMB_STORE_UNAVAILABLE", "ECONNREFUSED"],
  ["no name", failing("getaddrinfo", { code: "ENOTFOUND" }), "EMB_STORE_UNAVAILABLE", "ENOTFOUND"],
  [
    "a socket that is not there",
    failing("connect", { code: "ENOENT", syscall: "connect", path: "/s" }),
    "EMB_STORE_UNAVAILABLE",
    "ENOENT",
  ],
  [
    "cut off",
    failing("Connection terminated unexpectedly"),
    "EMB_STORE_UNAVAILABLE",
    "Connection terminated unexpectedly",
  ],
  [
    "another authority",
    failing("x", { code: "SELF_SIGNED_CERT_IN_CHAIN" }),
    "EMB_STORE_REFUSED",
    "SELF_SIGNED_CERT_IN_CHAIN",
  ],
  [
    "another host",
    failing("x", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
    "EMB_STORE_REFUSED",
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ],
  ["too old", failing("x", { code: "CERT_HAS_EXPIRED" }), "EMB_STORE_REFUSED", "CERT_HAS_EXPIRED"],
  ["no TLS", failing("The server does not support SSL connections"), "EMB_STORE_REFUSED", "the server has none"],
  [
    "a missing file",
    failing("x", { code: "ENOENT", syscall: "open", path: "/ca.pem" }),
    "EMB_STORE_REFUSED",
    "/ca.pem (ENOENT)",
  ],
  [
    "a folder for a file",
    failing("x", { code: "EISDIR", syscall: "read" }),
    "EMB_STORE_REFUSED",
    "names cannot be used: EISDIR",
  ],
  [
    "a key of another certificate",
    failing("x", { code: "ERR_OSSL_X509_KEY_VALUES_MISMATCH" }),
    "EMB_STORE_REFUSED",
    "names cannot be used: ERR_OSSL_X509_KEY_VALUES_MISMATCH",
  ],
  ["no error at all", null, "EMB_STORE_UNAVAILABLE", "unknown"],
])("%s", (_name, error, code, said) => {
  const failure = connectionFailure(error);
  expect(failure.code).toBe(code);
  expect(failure.message).toContain(said);
});
