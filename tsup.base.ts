import type { Options } from "tsup";

/** How every published package is built: ESM and types, one output file for each public entry. */
export const packageBuild = (entry: Record<string, string>, more: Options = {}): Options => ({
  entry,
  format: "esm",
  target: "node20",
  platform: "node",
  clean: true,
  sourcemap: true,
  // TypeScript 6 calls the option that tsup sets for its declaration build deprecated.
  dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
  ...more,
});
