import { defineConfig } from "vitest/config";

export default defineConfig({ test: { globalSetup: "./src/small-world.global-setup.ts" } });
