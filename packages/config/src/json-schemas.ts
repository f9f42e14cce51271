import { WrittenManifest } from "@emb/manifest";
import * as z from "zod";
import { EnvironmentFile } from "./environment-file.js";

/** The JSON Schemas that editors use, by file name in config/schemas/. */
export const jsonSchemas = (): Readonly<Record<string, unknown>> => ({
  "embedding_profiles.schema.json": {
    title: "emb: embedding profiles",
    ...z.toJSONSchema(WrittenManifest, { io: "input" }),
  },
  "environment.schema.json": { title: "emb: one environment", ...z.toJSONSchema(EnvironmentFile, { io: "input" }) },
});
