import { defineConfig } from "tsup";

// Bundled, because loading zod, yaml and commander from their own files costs more than `emb gate` does. What is native, large or a model
// stays outside and is loaded when it is used. The workers are entries of their own, beside the code that starts them.
export default defineConfig({
  entry: {
    main: "src/main.ts",
    "embedded-worker": "../../packages/store/src/embedded-worker.ts",
    "use-lite-worker": "../../packages/providers/src/use-lite-worker.js",
  },
  format: "esm",
  target: "node20",
  platform: "node",
  splitting: true,
  clean: true,
  minify: true,
  sourcemap: false,
  noExternal: [/^@emb\//, "commander", "yaml", "zod", "hono", "@hono/node-server", "marked"],
  // commander is CommonJS, and its require of Node's own modules needs one.
  banner: { js: 'import{createRequire as embRequire}from"node:module";const require=embRequire(import.meta.url);' },
  external: [/^@electric-sql\//, /^@energetic-ai\//, /^@huggingface\//, /^@lat\.md\//, "onnx-proto", "onnxruntime-node"],
});
