import { execFileSync, spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serverSkip, serverUrl } from "../test/server-schema.js";
import { createServerDriver } from "./server-driver.js";
import type { SqlDriver } from "./sql-driver.js";

const SECRET = "swordfish-7";
const dataDir = process.env["TEST_POSTGRES_DATA"]?.trim() ?? "";
const skip =
  serverSkip ||
  (dataDir === "" ? " (skipped: TEST_POSTGRES_DATA is not set, so the server's certificate cannot be changed)" : "") ||
  (spawnSync("openssl", ["version"]).status === 0 ? "" : " (skipped: no openssl here)");

const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });

/** An authority, and a certificate of its for 127.0.0.1 only. */
function authority(dir: string, name: string) {
  const file = (kind: string) => join(dir, `${name}.${kind}`);
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...ec,
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.crt"),
    "-days",
    "2",
    "-subj",
    `/CN=${name}`,
  );
  openssl("req", ...ec, "-keyout", file("key"), "-out", file("csr"), "-subj", "/CN=server");
  writeFileSync(file("ext"), "subjectAltName=IP:127.0.0.1\n");
  const signed = [
    "-CA",
    file("ca.crt"),
    "-CAkey",
    file("ca.key"),
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    file("ext"),
  ];
  openssl("x509", "-req", "-in", file("csr"), "-out", file("crt"), ...signed);
  return { ca: file("ca.crt"), certificate: file("crt"), key: file("key") };
}

describe.skipIf(skip !== "")(`TLS${skip}`, () => {
  let dir: string;
  let admin: SqlDriver;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "emb-tls-"));
    admin = await createServerDriver({ connectionString: serverUrl(), maxConnections: 1 });
  });
  afterAll(async () => {
    for (const setting of ["ssl", "ssl_cert_file", "ssl_key_file"]) await admin.exec(`ALTER SYSTEM RESET ${setting}`);
    await admin.exec("SELECT pg_reload_conf()");
    await admin.close();
    rmSync(dir, { recursive: true });
  });

  const address = (parameters: Record<string, string>, host = "127.0.0.1"): string => {
    const url = new URL(serverUrl());
    [url.hostname, url.password] = [host, SECRET];
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  };
  const connect = async (connectionString: string) => {
    const driver = await createServerDriver({ connectionString, maxConnections: 1 });
    try {
      const { rows } = await driver.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
      return rows[0]?.["ssl"];
    } finally {
      await driver.close();
    }
  };
  const refusal = (connectionString: string) =>
    connect(connectionString).then(
      (seen) => ({ seen }),
      (error: Error & { code: string; hint: string }) => {
        expect(error.message + error.hint + JSON.stringify(error)).not.toContain(SECRET);
        return { code: error.code, message: error.message };
      },
    );

  it("asked of a server that has none is refused, not left out", async () => {
    expect(await refusal(address({ sslmode: "verify-full" }))).toEqual({
      code: "EMB_STORE_REFUSED",
      message: "DATABASE_URL asks for TLS, and the server has none",
    });
  });

  it("with the server's own authority works, and with any other is refused", async () => {
    const own = authority(dir, "own");
    const other = authority(dir, "other");
    const { uid, gid } = statSync(dataDir);
    for (const file of [own.certificate, own.key]) chownSync(file, uid, gid);
    chownSync(dir, uid, gid);
    await admin.exec(`ALTER SYSTEM SET ssl_cert_file = '${own.certificate}'`);
    await admin.exec(`ALTER SYSTEM SET ssl_key_file = '${own.key}'`);
    await admin.exec("ALTER SYSTEM SET ssl = on");
    await admin.exec("SELECT pg_reload_conf()");
    const trusting = address({ sslmode: "verify-full", sslrootcert: own.ca });
    await expect.poll(() => connect(trusting).catch(() => false), { timeout: 10_000 }).toBe(true);

    expect(await refusal(address({ sslmode: "verify-full", sslrootcert: other.ca }))).toEqual({
      code: "EMB_STORE_REFUSED",
      message: expect.stringMatching(/^the server's certificate is not trusted: [A-Z_]+$/),
    });
    expect(await refusal(address({ sslmode: "verify-full" }))).toMatchObject({ code: "EMB_STORE_REFUSED" });
    expect(await refusal(address({ sslmode: "verify-full", sslrootcert: own.ca }, "localhost"))).toEqual({
      code: "EMB_STORE_REFUSED",
      message: "the server's certificate is not trusted: ERR_TLS_CERT_ALTNAME_INVALID",
    });
    for (const sslmode of ["require", "prefer", "verify-ca", "allow"])
      expect(await refusal(address({ sslmode, sslrootcert: other.ca }))).toMatchObject({ code: "EMB_STORE_REFUSED" });
    expect(await refusal(address({ sslmode: "no-verify" }))).toEqual({ seen: true }); // whoever asks for it gets it
    expect(await refusal(address({ sslmode: "verify-full", sslrootcert: dir }))).toEqual({
      code: "EMB_STORE_REFUSED",
      message: "a certificate or key that DATABASE_URL names cannot be used: EISDIR",
    });
    const missing = join(dir, "missing.crt");
    expect(await refusal(address({ sslmode: "verify-full", sslrootcert: missing }))).toEqual({
      code: "EMB_STORE_REFUSED",
      message: `a file that DATABASE_URL names cannot be read: ${missing} (ENOENT)`,
    });
  });
});
