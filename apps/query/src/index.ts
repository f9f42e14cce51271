export { answerDocument } from "./answer-document.js";
export { bannerOf } from "./banner.js";
export { actor, findProfile, passGate, recordOverride, requireReady } from "./deployment.js";
export { openStore, withStore } from "./open-store.js";
export { createQueryApp, type QueryAppSetup } from "./query-app.js";
export { serve, type QueryService, type ServeSetup } from "./serve.js";
export { reportServiceError } from "./service-main.js";
