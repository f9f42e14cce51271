import { defineConfig } from "tsup";
import { packageBuild } from "../../tsup.base.js";

export default defineConfig(
  packageBuild(
    {
      main: "src/main.ts",
      "memory-child": "src/memory-child.ts",
      "client-child": "src/client/child.ts",
      "client-server": "src/client/server.ts",
      "ingest-child": "src/ingest/child.ts",
    },
    { dts: false },
  ),
);
