// Writes the JSON Schemas that the YAML files of config/ refer to. Run by `pnpm schemas`; a test compares the files.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { jsonSchemas } from "../dist/index.js";

const folder = fileURLToPath(new URL("../../../config/schemas/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(folder + name, `${JSON.stringify(schema, null, 2)}\n`);
}
