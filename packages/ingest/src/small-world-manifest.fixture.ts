import { parseManifest, type Profile } from "@emb/manifest";
import { miniLmProfileYaml } from "@emb/providers/testing";

const profileText = (name: string, version: string) => miniLmProfileYaml({ name, version, price: 2 });
/** Profiles of one model under two versions, so that they are two vector spaces to emb; `again` is in the space of `one`. */
const manifestOf = (space: string): string =>
  `profiles:\n${profileText("one", `one-${space}`)}${profileText("two", `two-${space}`)}${profileText("again", `one-${space}`)}`;

/** @param space what sets the vector spaces of one world's bases apart */
export function smallWorldProfile(name: string, space: string): Profile {
  const reading = parseManifest(manifestOf(space), { file: "manifest.yaml" });
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.manifest.profiles.get(name)!;
}
