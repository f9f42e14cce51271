import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "./src/data-dir.global-setup.ts",
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2, // each test runs real processes with a database and a model: more at once only wait for each other
  },
});
