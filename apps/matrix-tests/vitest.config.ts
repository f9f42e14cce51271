import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    pool: "forks", // a process of its own for each file, so that what it leaves open is its own
    globalSetup: "./vitest.global-setup.ts",
  },
});
