/**
 * Every error code of emb, what the process exits with when the error ends a command, and whether trying again later can
 * help. A code is public API: callers match on it. docs/errors.md is compared with this table by a test.
 *
 * Exit codes: 1 a negative verdict or a run that is not ready, 2 wrong usage or could not run, 75 temporary,
 * 78 configuration or gate, 130 interrupted.
 */
export const ERROR_CODES = {
  // Configuration and gate
  EMB_CONFIG_DIR_MISSING: { exit: 78, retryable: false },
  EMB_CONFIG_FILE_MISSING: { exit: 78, retryable: false },
  EMB_CONFIG_FILE_UNREADABLE: { exit: 78, retryable: false },
  EMB_CONFIG_INVALID: { exit: 78, retryable: false },
  EMB_YAML_SYNTAX: { exit: 78, retryable: false },
  EMB_ENV_INVALID: { exit: 78, retryable: false },
  EMB_ENV_UNSET: { exit: 78, retryable: false },
  EMB_ENV_MISSPELT: { exit: 78, retryable: false },
  EMB_FLAG_WITHOUT_EFFECT: { exit: 78, retryable: false },
  EMB_MANIFEST_INVALID: { exit: 78, retryable: false },
  EMB_PROFILE_UNKNOWN: { exit: 78, retryable: false },
  EMB_PROFILE_OVERRIDE_REFUSED: { exit: 78, retryable: false },
  EMB_PROVIDER_UNKNOWN: { exit: 78, retryable: false },
  EMB_REQUIREMENT_MISSING: { exit: 78, retryable: false },
  EMB_MODEL_UNAVAILABLE: { exit: 78, retryable: false },
  EMB_NAMESPACE_COLLISION: { exit: 78, retryable: false },
  EMB_NAMESPACE_MODE_MISMATCH: { exit: 78, retryable: false },
  EMB_NAMESPACE_OCCUPIED: { exit: 78, retryable: false },
  EMB_NAMESPACE_NOT_FOUND: { exit: 78, retryable: false },
  EMB_NAMESPACE_NOT_READY: { exit: 78, retryable: false },
  EMB_SEAL_MISMATCH: { exit: 78, retryable: false },
  EMB_WITNESS_FAILED: { exit: 78, retryable: false },
  EMB_DIMS_UNSUPPORTED: { exit: 78, retryable: false },
  EMB_PRICE_UNKNOWN: { exit: 78, retryable: false },
  // Usage and input
  EMB_USAGE: { exit: 2, retryable: false },
  EMB_CONSENT_REQUIRED: { exit: 2, retryable: false },
  EMB_BUDGET_TOO_LOW: { exit: 2, retryable: false },
  EMB_BASE_UNKNOWN: { exit: 2, retryable: false },
  EMB_SOURCE_MISSING: { exit: 2, retryable: false },
  EMB_SOURCE_EMPTY: { exit: 2, retryable: false },
  EMB_SOURCE_INVALID: { exit: 2, retryable: false },
  EMB_QUERIES_INVALID: { exit: 2, retryable: false },
  EMB_DOCUMENT_UNREADABLE: { exit: 1, retryable: false },
  EMB_DOCUMENT_TOO_LARGE: { exit: 1, retryable: false },
  EMB_DOCUMENT_INVALID: { exit: 1, retryable: false },
  EMB_TEXT_EMPTY: { exit: 2, retryable: false },
  EMB_TEXT_TOO_LONG: { exit: 2, retryable: false },
  EMB_BUDGET_REACHED: { exit: 1, retryable: false },
  EMB_RUN_STATE_REFUSED: { exit: 1, retryable: false },
  EMB_RUN_NOT_READY: { exit: 1, retryable: false },
  EMB_VERIFY_FAILED: { exit: 1, retryable: false },
  EMB_ROLLBACK_REFUSED: { exit: 1, retryable: false },
  EMB_RETIRE_REFUSED: { exit: 1, retryable: false },
  EMB_AUDIT_BROKEN: { exit: 1, retryable: false },
  // Providers
  EMB_PROVIDER_RESPONSE_INVALID: { exit: 2, retryable: false },
  EMB_SOURCE_UNAVAILABLE: { exit: 75, retryable: true },
  EMB_PROVIDER_UNAVAILABLE: { exit: 75, retryable: true },
  EMB_PROVIDER_RATE_LIMITED: { exit: 75, retryable: true },
  EMB_PROVIDER_REJECTED: { exit: 2, retryable: false },
  EMB_PROVIDER_UNAUTHORIZED: { exit: 78, retryable: false },
  EMB_PROVIDER_NOT_FOUND: { exit: 78, retryable: false },
  // Store
  EMB_STORE_LOCKED: { exit: 75, retryable: true },
  EMB_STORE_UNAVAILABLE: { exit: 75, retryable: true },
  EMB_STORE_REFUSED: { exit: 78, retryable: false },
  EMB_STORE_SCHEMA_NEWER: { exit: 78, retryable: false },
  EMB_STORE_FULL: { exit: 75, retryable: true },
  EMB_VECTOR_INVALID: { exit: 2, retryable: false },
  EMB_LEASE_LOST: { exit: 75, retryable: true },
  EMB_INTERRUPTED: { exit: 130, retryable: true },
  EMB_INTERNAL: { exit: 2, retryable: false },
} as const satisfies Record<string, { exit: 1 | 2 | 75 | 78 | 130; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One thing that is wrong, and where. `line` and `column` count from 1. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  /** One action the operator can take now. */
  readonly hint: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** The environment variable at fault, when it is one. */
  readonly variable?: string;
}

export interface ErrorDetails {
  /** One action the operator can take now. */
  readonly hint: string;
  /** Scalars only: never a text, a vector, a key or a response body. */
  readonly context?: Readonly<Record<string, string | number | boolean>>;
  readonly cause?: unknown;
  /** Set when several things are wrong at once; the error's own code and message are then the first one's or a summary. */
  readonly problems?: readonly Problem[];
}

const BRAND = Symbol.for("emb.error"); // survives two copies of the package in one process

/** The one error class of emb. The message says what was expected and what was seen; `hint` says one thing to do. */
export class EmbError extends Error {
  override readonly name = "EmbError";
  readonly [BRAND] = true;
  readonly code: ErrorCode;
  readonly hint: string;
  readonly context: Readonly<Record<string, string | number | boolean>>;
  readonly problems: readonly Problem[];
  readonly retryable: boolean;
  readonly exitCode: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.context = details.context ?? {};
    this.problems = details.problems ?? [];
    this.retryable = ERROR_CODES[code].retryable;
    this.exitCode = ERROR_CODES[code].exit;
  }
}

/** True for an EmbError of any copy of this package, and, when `code` is given, of that code. */
export const isEmbError = (value: unknown, code?: ErrorCode): value is EmbError =>
  typeof value === "object" &&
  value !== null &&
  BRAND in value &&
  (code === undefined || ("code" in value && value.code === code));
