#!/usr/bin/env node
"use strict";
const { fstatSync, readFileSync, writeFileSync, writeSync } = require("node:fs");
if (printHelp()) return;

const { createRequire } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

// A gate has ended before optimised code would pay for its making, which takes a quarter of the time that a gate takes (measured).
const isGate = process.argv[2] === "gate";
if (isGate) require("node:v8").setFlagsFromString("--no-opt");

// V8's code cache belongs to one version of V8 and its flags: another one rejects it and compiles the bundle as usual.
const file = path.join(__dirname, "../dist/emb.cjs");
const cacheFile = `${file}.${isGate ? "gate." : ""}cache`;
const writesCache = process.env.EMB_WRITE_CODE_CACHE === "1";
let cachedData;
try {
  if (!writesCache) cachedData = readFileSync(cacheFile);
} catch {
  // built without one
}
const script = new vm.Script(
  `(function (require, module, exports, __filename, __dirname, embImport) {${readFileSync(file, "utf8")}\n})`,
  {
    filename: file,
    cachedData,
  },
);
if (writesCache) process.once("exit", () => writeFileSync(cacheFile, script.createCachedData()));
const bundle = { exports: {} };
const lend = (name) => import(name.startsWith("./") ? `../dist/${name}` : name);
script.runInThisContext()(createRequire(file), bundle, bundle.exports, file, path.dirname(file), lend);

/**
 * `emb --help` into a pipe or a file needs none of the command: the build keeps what it printed. A terminal gets it from the command
 * itself, which fits it to the width.
 */
function printHelp() {
  const [flag, ...more] = process.argv.slice(2);
  if ((flag !== "--help" && flag !== "-h") || more.length > 0) return false;
  try {
    if (fstatSync(1).isCharacterDevice()) return false;
    writeSync(1, readFileSync(`${__dirname}/../dist/help.txt`));
    return true;
  } catch {
    return false; // built without it, or the reader is slow: the command itself can wait
  }
}
