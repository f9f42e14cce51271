import { defineConfig } from "tsup";
import { packageBuild } from "../../tsup.base.js";

export default defineConfig(
  packageBuild({
    index: "src/index.ts",
    server: "src/server.ts",
    "embedded-worker": "src/embedded-worker.ts",
    "testing/index": "src/testing/index.ts",
  }),
);
