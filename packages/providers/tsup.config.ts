import { defineConfig } from "tsup";
import { packageBuild } from "../../tsup.base.js";

export default defineConfig(
  packageBuild({
    index: "src/index.ts",
    "telemetry/index": "src/telemetry/index.ts",
    "testing/index": "src/testing/index.ts",
    "use-lite-worker": "src/use-lite-worker.js",
  }),
);
