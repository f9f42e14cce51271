import { defineConfig } from "tsup";
import { packageBuild } from "../../tsup.base.js";

export default defineConfig(
  packageBuild({
    index: "src/index.ts",
    namespace: "src/namespace.ts",
    postgres: "src/postgres.ts",
    "testing/index": "src/testing/index.ts",
  }),
);
