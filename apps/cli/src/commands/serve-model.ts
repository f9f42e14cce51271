import { once } from "node:events";
import { EmbError, PROVIDER_IDS, runsInProcess, type Side } from "@emb/manifest";
import { createProvider } from "@emb/providers";
import { findProfile, openPort } from "@emb/query";
import { readSettings } from "../read-settings.js";
import { createModelApp } from "../serve-model/model-app.js";
import type { Command } from "../session.js";
import { wholeNumber } from "../whole-number.js";

const DEFAULT_PORT = 8_090;

export interface ServeModelOptions {
  readonly profile: string;
  readonly port?: string;
  readonly host: string;
  readonly side: string;
  readonly version: string;
}

/** Serves an in-process model over HTTP until told to stop. No gate: it reads and fills no namespace. */
export const serveModel: Command<ServeModelOptions> = async (session, options) => {
  const { output, signal, env } = session;
  const port = options.port === undefined ? DEFAULT_PORT : wholeNumber("--port", options.port, [0, 65_535]);
  const side = sideOf(options.side);
  const settings = readSettings(session);
  const profile = findProfile(settings, options.profile);
  // A hosted model would be resold: whoever reaches the port would spend the key's money.
  if (!runsInProcess(profile))
    throw new EmbError(
      "EMB_USAGE",
      `expected a profile that runs in process, got ${profile.name} of ${profile.provider}`,
      {
        hint: `Choose a profile of ${PROVIDER_IDS.filter((provider) => runsInProcess({ provider })).join(" or ")}.`,
      },
    );
  const { dataDir, modelsDir } = settings.paths;
  const provider = await createProvider(profile, { env, dataDir, modelsDir: modelsDir ?? undefined });
  try {
    const app = createModelApp(provider, {
      side,
      version: options.version,
      onFailure: (error) => output.note(`error ${error.message}`),
    });
    const server = await openPort(app, { host: options.host, port, setting: "--port" });
    output.document({ url: server.url, profile: profile.name, model: profile.modelId, dims: profile.dims, side });
    output.note(`serving ${profile.modelId} (${side} side) on ${server.url}; try`);
    output.note(
      `  curl -s ${server.url}/v1/embeddings -H 'content-type: application/json' -d '{"model": "${profile.modelId}", "input": ["..."]}'`,
    );
    if (!signal.aborted) await once(signal, "abort");
    await server.close();
    return 0;
  } finally {
    await provider.close();
  }
};

function sideOf(text: string): Side {
  if (text === "query" || text === "document") return text;
  throw new EmbError("EMB_USAGE", `--side: expected query or document, got "${text}"`, {
    hint: "For example --side query.",
  });
}
