import type { Problem } from "@emb/manifest";
import { DEFAULTS } from "./defaults.js";
import { readVariable, variableProblem, type Environment } from "./setting-variables.js";

const NAME = /^[a-z][a-z0-9_-]*$/; // also keeps the name a file name: no separators, no dots

/**
 * The environment's name, lower case, or null and a problem. Without ENV it is development, unless NODE_ENV says that this
 * is not a developer's machine: a production process that forgot ENV must not run unguarded.
 */
export function readEnvironmentName(env: Environment, problems: Problem[]): string | null {
  const name = readVariable(env, "ENV")?.toLowerCase();
  if (name === undefined) {
    const nodeEnv = readVariable(env, "NODE_ENV")?.toLowerCase();
    if (nodeEnv === undefined || nodeEnv === "development" || nodeEnv === "test") return DEFAULTS.environment;
    problems.push(
      variableProblem(
        "ENV",
        "must be set when NODE_ENV is set to anything other than development or test",
        "Set ENV to the environment's name, for example ENV=production.",
        "EMB_ENV_UNSET",
      ),
    );
    return null;
  }
  if (NAME.test(name)) return name;
  problems.push(
    variableProblem(
      "ENV",
      "expected a letter, then letters, digits, _ or -",
      "Set ENV to the name of a file in the config folder without .yaml, for example ENV=production.",
      "EMB_ENV_INVALID",
    ),
  );
  return null;
}
