import {
  editDistance,
  nearest,
  NAMESPACE_MODES,
  type ErrorCode,
  type NamespaceMode,
  type Problem,
} from "@emb/manifest";

/** Variables by name, as process.env has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable that emb itself reads, beside each provider's own and OTEL_*. */
export const SETTING_VARIABLES = [
  "ENV",
  "EMB_CONFIG_DIR",
  "EMBEDDING_PROFILES_PATH",
  "EMBEDDINGS_PROFILE",
  "EMBEDDING_PROFILE_SWAPPABLE",
  "EMBEDDING_PROFILE_EXPERIMENT",
  "EMBEDDING_NAMESPACE_MODE",
  "EMBEDDING_STRICT_MODE",
  "DATABASE_URL",
  "EMB_DATA_DIR",
  "EMB_MODELS_DIR",
  "QDRANT_URL",
  "QDRANT_API_KEY",
] as const;

/** The variables, typed. Undefined means unset, so that a file or a default may speak. */
export interface Variables {
  readonly configDir: string | undefined;
  readonly profilesPath: string | undefined;
  readonly requested: string | undefined;
  readonly swappable: boolean;
  readonly experiment: string | undefined;
  readonly namespaceMode: NamespaceMode | undefined;
  readonly strictMode: boolean | undefined;
  /** May hold a password. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string | undefined;
  readonly modelsDir: string | undefined;
  readonly qdrantUrl: string | undefined;
  /** A secret. */
  readonly qdrantApiKey: string | undefined;
}

/** A variable trimmed; undefined when unset or blank. */
export function readVariable(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

/** Reads every variable and pushes what is wrong; a wrong one then counts as unset. */
export function readVariables(env: Environment, problems: Problem[]): Variables {
  const text = (name: (typeof SETTING_VARIABLES)[number]) => readVariable(env, name);
  const flag = (name: (typeof SETTING_VARIABLES)[number]) => readBoolean(name, text(name), problems);
  return {
    configDir: text("EMB_CONFIG_DIR"),
    profilesPath: text("EMBEDDING_PROFILES_PATH"),
    requested: text("EMBEDDINGS_PROFILE"),
    swappable: flag("EMBEDDING_PROFILE_SWAPPABLE") ?? false,
    experiment: text("EMBEDDING_PROFILE_EXPERIMENT"),
    namespaceMode: readNamespaceMode(text("EMBEDDING_NAMESPACE_MODE"), problems),
    strictMode: flag("EMBEDDING_STRICT_MODE"),
    databaseUrl: readUrl("DATABASE_URL", text("DATABASE_URL"), ["postgres:", "postgresql:"], problems),
    dataDir: text("EMB_DATA_DIR"),
    modelsDir: text("EMB_MODELS_DIR"),
    qdrantUrl: readUrl("QDRANT_URL", text("QDRANT_URL"), ["http:", "https:"], problems),
    qdrantApiKey: text("QDRANT_API_KEY"),
  };
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["true", "1", "yes", "on"].map((word) => [word, true] as const),
  ...["false", "0", "no", "off"].map((word) => [word, false] as const),
]);

function readBoolean(variable: string, value: string | undefined, problems: Problem[]): boolean | undefined {
  if (value === undefined) return undefined;
  const known = BOOLEANS.get(value.toLowerCase());
  if (known === undefined) {
    problems.push(
      variableProblem(
        variable,
        "expected true, false, 1, 0, yes, no, on or off",
        `Set ${variable}=true or ${variable}=false.`,
      ),
    );
  }
  return known;
}

function readNamespaceMode(value: string | undefined, problems: Problem[]): NamespaceMode | undefined {
  if (value === undefined) return undefined;
  const known = NAMESPACE_MODES.find((mode) => mode === value.toLowerCase());
  if (known === undefined) {
    const near = nearest(value, NAMESPACE_MODES);
    const hint = near === null ? "Use one of these." : `Did you mean "${near}"?`;
    problems.push(variableProblem("EMBEDDING_NAMESPACE_MODE", `expected one of ${NAMESPACE_MODES.join(", ")}`, hint));
  }
  return known;
}

/** The value never enters the message: it may hold a password. */
function readUrl(
  variable: string,
  value: string | undefined,
  protocols: readonly string[],
  problems: Problem[],
): string | undefined {
  if (value === undefined) return undefined;
  if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value;
  const forms = protocols.map((protocol) => `${protocol}//`).join(" or ");
  problems.push(variableProblem(variable, `expected an address that begins with ${forms}`, `Correct ${variable}.`));
  return undefined;
}

/** A problem of one variable; its message begins with the variable's name. */
export const variableProblem = (
  variable: string,
  message: string,
  hint: string,
  code: ErrorCode = "EMB_CONFIG_INVALID",
): Problem => ({ code, message: `${variable}: ${message}`, hint, variable });

/** Variables that begin as emb's do and nearly spell one of them. Whether that stops the process is the caller's to say. */
export function misspeltVariables(env: Environment): Problem[] {
  const known: ReadonlySet<string> = new Set(SETTING_VARIABLES);
  return Object.keys(env)
    .filter((name) => /^(EMB_|EMBEDDING)/i.test(name) && !known.has(name) && readVariable(env, name) !== undefined)
    .toSorted()
    .flatMap((name) => {
      const meant = nearlySpelt(name);
      return meant === null
        ? []
        : [
            variableProblem(
              name,
              `is not a variable of emb; it nearly spells ${meant}`,
              `Rename it to ${meant}, or unset it.`,
              "EMB_ENV_MISSPELT",
            ),
          ];
    });
}

/** The variable that a name nearly spells: a slip in the whole name first, then a shorter form of a name. */
function nearlySpelt(name: string): string | null {
  const upper = name.toUpperCase();
  // Two letters at most: EMBEDDING_MODEL and EMBEDDING_PROVIDER belong to other tools and are no misspellings.
  const slip = SETTING_VARIABLES.find((known) => editDistance(upper, known) <= 2);
  const short = (slips: number) =>
    SETTING_VARIABLES.find((known) => shortForms(known).some((form) => editDistance(upper, form) <= slips));
  return slip ?? short(0) ?? short(1) ?? null;
}

/** What people write who remember a part: EMB_EXPERIMENT, EMBEDDING_SWAPPABLE, EMB_STRICT_MODE, EMB_CONFIG, EMB_DATABASE_URL. */
function shortForms(known: string): string[] {
  if (!known.startsWith("EMB")) return [`EMB_${known}`];
  const withoutProfile = known.replace("_PROFILE_", "_");
  const prefixed = [known, withoutProfile].flatMap((form) => [form, form.replace(/^EMBEDDINGS?_/, "EMB_")]);
  return prefixed.flatMap((form) => [form, form.replace(/_(?:DIR|PATH|MODE)$/, "")]);
}
