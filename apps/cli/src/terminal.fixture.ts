import type { Project } from "./command.fixture.js";
import { recordOutput } from "./recorded-output.fixture.js";
import type { Session } from "./session.js";

/** A command's session as on a terminal in the project, whoever sits there answering `answer` to all that is asked; `notes` is what stderr was shown. */
export function terminalIn(
  { dir }: Pick<Project, "dir">,
  answer: string,
): { session: Session; notes: readonly string[] } {
  const { output, notes } = recordOutput({ answer });
  const { signal } = new AbortController();
  return { session: { env: { ENV: "production" }, cwd: dir, output, signal, nowMs: () => performance.now() }, notes };
}
