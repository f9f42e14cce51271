/** The store in a PostgreSQL server: apart, because it loads `pg`. */
export { createServerDriver, type ServerDriverOptions } from "./server-driver.js";
export { openServerStore, type ServerStoreOptions } from "./server-store.js";
