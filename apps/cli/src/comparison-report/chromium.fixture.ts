import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The first Chromium on the PATH; null: there is none. */
export const findChromium = (path = process.env["PATH"] ?? ""): string | null =>
  NAMES.flatMap((name) => path.split(delimiter).map((folder) => join(folder, name))).find((file) => existsSync(file)) ??
  null;
