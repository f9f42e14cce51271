import { EmbError, providerVariables, resolveProvider, type Profile } from "@emb/manifest";

/** Where a service is and how it is entered. */
export interface ServiceAccess {
  /** Scheme, host and port. */
  readonly origin: string;
  /** What stands between the origin and an endpoint's path; empty, or begins with "/" and does not end with one. */
  readonly path: string;
  /** Query of the address, with its "?"; empty when it has none. */
  readonly query: string;
  /** Host and port as shown in messages. */
  readonly host: string;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** A secret: never log it. */
  readonly apiKey: string | null;
}

const DEFAULT_PORTS = { "http:": 80, "https:": 443 } as const;

/** What a header's value may hold. Source: RFC 9110 section 5.5. */
const SENDABLE = /^[\t\u0020-\u007E\u0080-\u00FF]*$/;

/**
 * The provider's own address variable, else the profile's service_url, else the public address; and its key.
 * @throws EmbError EMB_REQUIREMENT_MISSING when there is no address, EMB_ENV_INVALID or EMB_MANIFEST_INVALID when it is none,
 *   EMB_ENV_INVALID for a key that cannot be sent
 */
export function serviceAccess(
  profile: Profile,
  env: Readonly<Record<string, string | undefined>>,
  publicUrl: string | null,
): ServiceAccess {
  const id = resolveProvider(profile.provider);
  const { url: urlVariable, key: keyVariable } = id === null ? {} : providerVariables(id);
  const read = (name: string | undefined) => (name === undefined ? "" : (env[name] ?? "").trim());
  const fromEnv = read(urlVariable);
  const address = fromEnv === "" ? (profile.serviceUrl ?? publicUrl) : fromEnv;
  if (address === null) {
    throw new EmbError("EMB_REQUIREMENT_MISSING", `Profile "${profile.name}" has no address of its service.`, {
      hint:
        urlVariable === undefined
          ? "Set service_url in the manifest."
          : `Set ${urlVariable}, or service_url in the manifest.`,
      context: { profile: profile.name },
    });
  }
  const url = URL.canParse(address) ? new URL(address) : null;
  if (
    url === null ||
    !(url.protocol === "http:" || url.protocol === "https:") ||
    url.username !== "" ||
    url.password !== ""
  ) {
    const inEnv = fromEnv !== "" && urlVariable !== undefined;
    throw new EmbError(
      inEnv ? "EMB_ENV_INVALID" : "EMB_MANIFEST_INVALID",
      `${inEnv ? urlVariable : `service_url of profile "${profile.name}"`} is not the address of an HTTP service without a user and password.`,
      { hint: "Write it as https://host/path.", context: { profile: profile.name } },
    );
  }
  const apiKey = read(keyVariable);
  if (keyVariable !== undefined && !SENDABLE.test(apiKey)) {
    throw new EmbError("EMB_ENV_INVALID", `${keyVariable} holds a character that no HTTP header can carry.`, {
      hint: `Copy the key into ${keyVariable} again, on one line.`,
      context: { profile: profile.name },
    });
  }
  return {
    origin: url.origin,
    path: url.pathname.replace(/\/+$/, ""),
    query: url.search,
    host: url.host,
    serverAddress: url.hostname,
    serverPort: url.port === "" ? DEFAULT_PORTS[url.protocol] : Number(url.port),
    apiKey: apiKey === "" ? null : apiKey,
  };
}
