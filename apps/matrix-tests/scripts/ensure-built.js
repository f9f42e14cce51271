// Turbo has built what its test task needs. `pnpm --filter @emb/matrix-tests test` goes past turbo, on a fresh clone before anything is built.
import { spawnSync } from "node:child_process";

if (process.env.TURBO_HASH === undefined) {
  const build = spawnSync(
    "turbo",
    ["run", "build", "--filter=@emb/matrix-tests^...", "--output-logs=errors-only", "--log-prefix=none"],
    { stdio: "inherit", shell: process.platform === "win32" },
  );
  if (build.error)
    process.stderr.write(
      `turbo did not start (${build.error.message}): run this by pnpm, which has it on its path: npx -y pnpm@10.34.9 --filter @emb/matrix-tests test\n`,
    );
  process.exitCode = build.status ?? 1;
}
