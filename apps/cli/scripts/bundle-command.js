// Bundles the command's entry for a quick cold start: one CommonJS file (Node's ES module loader alone costs 12 ms) and V8's code cache of it,
// made after a run, so that what `emb --help` and `emb gate` use is neither parsed nor compiled again. Every other command stays an ES module
// beside it and is loaded when it runs.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const manifestRequire = createRequire(join(root, "../../packages/manifest/package.json"));

const common = {
  bundle: true,
  minify: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  define: { "import.meta.url": "embFileUrl" },
  banner: { js: 'const embFileUrl=require("node:url").pathToFileURL(__filename).href;' },
  // The same code as ES modules, which can be pruned; Node's condition would choose CommonJS.
  alias: { yaml: join(dirname(manifestRequire.resolve("yaml")), "../browser/index.js") },
  logLevel: "warning",
};

// By itself first: as a static bundle it is pruned, which a lazy part of the entry's bundle would not be.
await build({ ...common, entryPoints: [join(root, "src/gate-entry.ts")], outfile: join(dist, "gate.cjs") });

await build({
  ...common,
  entryPoints: [join(root, "src/main.ts")],
  outfile: join(dist, "emb.cjs"),
  plugins: [
    {
      name: "commands",
      setup(bundler) {
        bundler.onResolve({ filter: /^\.\/gate-entry\.js$/ }, () => ({ path: join(dist, "gate.cjs") }));
        bundler.onResolve({ filter: /^\.\/commands\// }, ({ path }) => ({
          path: path.replace("./commands/", "./"), // beside this file, where the workers are too
          external: true,
        }));
        // commander starts executables by it for subcommands of their own, which emb has none of; loading it costs 4 ms.
        bundler.onResolve({ filter: /^(node:)?child_process$/ }, () => ({
          path: join(root, "scripts/no-child-process.cjs"),
        }));
      },
    },
  ],
});
rmSync(join(dist, "gate.cjs"));

rmSync(join(dist, "help.txt"), { force: true }); // or the command would print it
// Code that comes out of V8's cache has lost the way to import(), so bin/emb.js lends it its own.
const file = join(dist, "emb.cjs");
const bundled = readFileSync(file, "utf8");
if (!bundled.includes('import("./'))
  throw new Error("the bundle imports no command: what this script replaces has another form now");
writeFileSync(file, bundled.replaceAll('import("', 'embImport("'));

function runEmb(args, env = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/emb.js"), ...args], {
    cwd: join(root, "../.."),
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the bundled command does not run: emb ${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}
runEmb(["gate", "--json"], { EMB_WRITE_CODE_CACHE: "1" });
writeFileSync(join(dist, "help.txt"), runEmb(["--help"], { EMB_WRITE_CODE_CACHE: "1" }));
