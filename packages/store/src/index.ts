export type * from "./audit.js";
export type * from "./documents.js";
export type * from "./namespaces.js";
export type * from "./readers.js";
export type * from "./runs.js";
export type * from "./seal.js";
export type * from "./store.js";
