import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Source of the expression given with -t; null when every test was asked for. */
    testNamePattern: string | null;
  }
}

export default ({ vitest, provide }: TestProject): void =>
  provide("testNamePattern", vitest.config.testNamePattern?.source ?? null);
