import { EmbError } from "@emb/manifest";

/** What is wrong with a certificate, as OpenSSL and Node name it: nothing of it goes away by trying again. */
const CERTIFICATE = /^(CERT_|ERR_SSL_|ERR_TLS_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;
/** What is wrong with a certificate or key of our own, before anything is sent: no PEM, or two that do not belong together. */
const OWN_FILE = /^ERR_OSSL_/;
/** Of files that the address names: sslrootcert, sslcert, sslkey. */
const FILE: ReadonlySet<string> = new Set(["ENOENT", "EACCES", "ENOTDIR"]);
/** Said by pg without a code when the server answers the request for TLS with no. */
const NO_TLS = "The server does not support SSL connections";

/** The EmbError for a server that could not be reached or was not trusted. Says neither address nor password. */
export function connectionFailure(error: unknown): EmbError {
  const code = codeOf(error);
  if (error instanceof Error && error.message === NO_TLS)
    return refused(
      "DATABASE_URL asks for TLS, and the server has none",
      "Turn TLS on at the server (ssl = on), or take sslmode out of DATABASE_URL.",
    );
  if (OWN_FILE.test(code) || code === "EISDIR")
    return refused(
      `a certificate or key that DATABASE_URL names cannot be used: ${code}`,
      "Correct sslrootcert, sslcert or sslkey in DATABASE_URL.",
    );
  if (CERTIFICATE.test(code))
    return refused(
      `the server's certificate is not trusted: ${code}`,
      "Name the authority that signed it in DATABASE_URL (sslmode=verify-full&sslrootcert=FILE), and the host as the certificate does.",
    );
  if (FILE.has(code) && error instanceof Error && "path" in error && "syscall" in error && error.syscall === "open")
    return refused(
      `a file that DATABASE_URL names cannot be read: ${String(error.path)} (${code})`,
      "Correct sslrootcert, sslcert or sslkey in DATABASE_URL.",
    );
  return new EmbError("EMB_STORE_UNAVAILABLE", `the database could not be reached: ${reasonOf(error)}`, {
    hint: "Check that the server of DATABASE_URL runs and can be reached, then run the same command again.",
  });
}

/** A code where there is one: messages may be long. */
export const reasonOf = (error: unknown): string =>
  codeOf(error) || (error instanceof Error ? error.message : "unknown");

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : "";

const refused = (message: string, hint: string) => new EmbError("EMB_STORE_REFUSED", message, { hint });
