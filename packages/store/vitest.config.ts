import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "./test/database-template.ts",
    include: ["{src,test}/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
