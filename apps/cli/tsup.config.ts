import { readdirSync } from "node:fs";
import { defineConfig } from "tsup";

const commands = readdirSync(new URL("src/commands", import.meta.url))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => [file.replace(/\.ts$/, ""), `src/commands/${file}`]);

// Every command as an entry of its own, loaded when it runs; scripts/bundle-command.js makes the entry that loads them. Bundled, because loading
// zod and yaml from their own files costs more than most commands do. What is native, large or a model stays outside. The workers are entries
// beside the code that starts them.
export default defineConfig({
  entry: {
    ...Object.fromEntries(commands),
    "embedded-worker": "../../packages/store/src/embedded-worker.ts",
    "use-lite-worker": "../../packages/providers/src/use-lite-worker.js",
  },
  format: "esm",
  target: "node20",
  platform: "node",
  splitting: true,
  clean: true,
  minify: true,
  noExternal: [/^@emb\//, "yaml", "zod", "hono", "@hono/node-server", "marked"],
  // yaml is CommonJS here, and its require of Node's own modules needs one.
  banner: { js: 'import{createRequire as embRequire}from"node:module";const require=embRequire(import.meta.url);' },
  external: [
    /^@electric-sql\//,
    /^@energetic-ai\//,
    /^@huggingface\//,
    /^@lat\.md\//,
    /^gpt-tokenizer/,
    "onnx-proto",
    "onnxruntime-node",
    "pg",
    "pg-boss",
    "pg-copy-streams",
  ],
});
