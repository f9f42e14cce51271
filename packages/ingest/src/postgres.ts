export { createPostgresSource, type PostgresRows, type PostgresSourceOptions } from "./postgres-source.js";
