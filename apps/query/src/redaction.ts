import type { Environment } from "@emb/config";

const REDACTED = "[redacted]";

/** Names of variables whose whole value is a secret. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|HEADERS/i;
/** Shorter values would take ordinary words out of a line. */
const MIN_SECRET_LENGTH = 6;

/** The secrets of an environment: values of variables named like one, and passwords inside addresses. Longest first. */
export function secretsOf(env: Environment): string[] {
  const secrets = new Set<string>();
  for (const [name, value = ""] of Object.entries(env)) {
    if (SECRET_NAME.test(name)) {
      secrets.add(value.trim());
      // OTEL_EXPORTER_OTLP_HEADERS: a=b,c=d
      for (const pair of value.split(",")) secrets.add(pair.slice(pair.indexOf("=") + 1).trim());
    }
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*?:([^/?#]*)@/i.exec(value.trim())?.[1];
    if (password !== undefined) secrets.add(password).add(decoded(password));
  }
  return [...secrets].filter((secret) => secret.length >= MIN_SECRET_LENGTH).toSorted((a, b) => b.length - a.length);
}

/**
 * Takes secrets out of a finished log line: every value that `secretsOf` finds, as it is, escaped as in JSON or as in a URL, and whatever stands
 * where a secret usually does: after `Bearer` or `Basic`, and between `user:` and `@` of an address. The line stays valid JSON.
 */
export function createRedactor(env: Environment): (line: string) => string {
  const forms = secretsOf(env).flatMap((secret) => [
    ...new Set([secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]),
  ]);
  return (line) => {
    let clean = line;
    for (const form of forms) clean = clean.replaceAll(form, REDACTED);
    return clean
      .replaceAll(/\b(Bearer|Basic) +[\w.~+/=-]{6,}/gi, `$1 ${REDACTED}`)
      .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@"\\]*):[^\s/?#@"\\]+@/gi, `$1:${REDACTED}@`);
  };
}

/**
 * What may be said of an error that is not ours: its message without what it quotes, where databases and parsers put the value that troubled
 * them, which may be a document or a question. From the first double quote to the last, because a quoted value may hold some itself.
 */
export const withoutQuoted = (message: string): string =>
  message.replaceAll(/"[^]*"|"[^]*$|(?<!\w)'[^']*'|`[^`]*`/g, (quoted) => `${quoted[0]}...${quoted[0]}`);

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
