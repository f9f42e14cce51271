import type { Environment } from "@emb/config";
import type { Output } from "./output.js";

/** What a command is given of the world: everything outside it is a value here, so that quickstart and tests can run commands in process. */
export interface Session {
  readonly env: Environment;
  readonly cwd: string;
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
}

/** A command's outcome is its exit code; errors are thrown as EmbError and reported by main. */
export type Command<Options> = (session: Session, options: Options) => Promise<number>;
