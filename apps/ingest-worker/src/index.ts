export { createModel, type Model } from "./model.js";
export { work, type WorkerSetup } from "./worker.js";
