/** What `emb gate` needs, in one module: the build bundles it by itself, so that a gate loads neither stores nor models. */
export { gate } from "./commands/gate.js";
export { reportError, usageError } from "./report-error.js";
