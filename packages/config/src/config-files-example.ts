import { dirname } from "node:path";
import type { ConfigFiles } from "./config-folder.js";

/** A disk of these files, for tests: text by absolute path. Bytes stand for files that are not text. */
export function exampleFiles(content: Readonly<Record<string, string | Uint8Array>>): ConfigFiles {
  const paths = Object.keys(content);
  return {
    read: (path) => {
      const found = content[path];
      return found === undefined ? null : typeof found === "string" ? new TextEncoder().encode(found) : found;
    },
    list: (folder) => {
      const inside = paths.filter((path) => dirname(path) === folder).map((path) => path.slice(folder.length + 1));
      return inside.length > 0 ? inside : null;
    },
  };
}

/** A manifest of these profiles, in process and without requirements. */
export const exampleManifest = (...names: string[]): string =>
  `profiles:\n${names
    .map(
      (name) =>
        `  ${name}: { provider: hf, model_id: org/${name}, dims: 4, similarity: cosine, tokenizer: { backend: huggingface }, capabilities: {} }\n`,
    )
    .join("")}`;

/** Files of one project at /srv/app. */
export const exampleProject = (more: Readonly<Record<string, string | Uint8Array>> = {}): ConfigFiles =>
  exampleFiles({
    "/srv/app/config/embedding_profiles.yaml": exampleManifest("a", "b"),
    "/srv/app/config/development.yaml": "embedding: { profile: a }\n",
    "/srv/app/config/production.yaml": "embedding: { profile: a }\n",
    ...more,
  });
