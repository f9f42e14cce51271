/**
 * SHA-256 of a UTF-8 text as 64 hex digits. node:crypto is loaded at the first call: the cold start of a command that hashes
 * nothing, such as `emb gate`, does not pay for it.
 */
export const sha256 = (text: string): string =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
