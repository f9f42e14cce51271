import { EmbError } from "@emb/manifest";

/**
 * Loads a package that users install only for the providers they use.
 * @throws EmbError EMB_MODEL_UNAVAILABLE naming the package
 */
export async function loadPeer<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new EmbError("EMB_MODEL_UNAVAILABLE", `The package ${packageName} could not be loaded.`, {
      hint: `Install it beside @emb/providers: npm install ${packageName}`,
      context: { package: packageName },
      cause,
    });
  }
}
