#!/usr/bin/env node
"use strict";
const { fstatSync, readFileSync, writeFileSync, writeSync } = require("node:fs");
if (printHelp()) return;

const { createRequire } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");

// V8's code cache belongs to one version of V8: another one rejects it and compiles the bundle as usual.
const file = path.join(__dirname, "../dist/emb.cjs");
const writeCache = process.env.EMB_WRITE_CODE_CACHE;
let cachedData;
try {
  if (writeCache === undefined) cachedData = readFileSync(`${file}.cache`);
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
if (writeCache !== undefined) process.once("exit", () => writeFileSync(writeCache, script.createCachedData()));
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
