import { EmbError, providerVariables, resolveProvider, type Problem, type Profile } from "@emb/manifest";
import { readUrl, readVariable, variableProblem, type Environment } from "./setting-variables.js";

/** Names of the variables that a profile requires and that are unset or blank. Ask only for profiles in use. */
export const missingRequirements = (profile: Profile, env: Environment): string[] =>
  profile.requirements.filter((name) => readVariable(env, name) === undefined);

/** What an adapter needs beside its profile. */
export interface ProviderAccess {
  /** The provider's own variable, else the environment's or manifest's service_url; null means the service's public address. */
  readonly serviceUrl: string | null;
  /** A secret: never log it. */
  readonly apiKey: string | null;
}

/**
 * Address and secret for a profile in use.
 * @throws EmbError EMB_REQUIREMENT_MISSING naming every variable that is missing, or EMB_CONFIG_INVALID for a malformed address
 */
export function readProviderAccess(profile: Profile, env: Environment): ProviderAccess {
  const problems: Problem[] = missingRequirements(profile, env).map((name) =>
    variableProblem(name, `must be set for profile ${profile.name}`, `Set ${name}.`, "EMB_REQUIREMENT_MISSING"),
  );
  const provider = resolveProvider(profile.provider);
  const { url, key } = provider === null ? {} : providerVariables(provider);
  const address = url === undefined ? undefined : readUrl(url, readVariable(env, url), ["http:", "https:"], problems);
  const [first] = problems;
  if (first !== undefined) {
    throw new EmbError(first.code, problems.map(({ message }) => message).join("; "), {
      hint: first.hint,
      context: { profile: profile.name },
      problems,
    });
  }
  return {
    serviceUrl: address ?? profile.serviceUrl,
    apiKey: (key === undefined ? undefined : readVariable(env, key)) ?? null,
  };
}
