import type { Profile } from "@emb/manifest";
import { readVariable, type Environment } from "./setting-variables.js";

/** Names of the variables that a profile requires and that are unset or blank. Ask only for profiles in use. */
export const missingRequirements = (profile: Profile, env: Environment): string[] =>
  profile.requirements.filter((name) => readVariable(env, name) === undefined);
