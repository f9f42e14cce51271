import type { Profile } from "@emb/manifest";
import type { HttpTuning } from "./http/http-tuning.js";
import type { Pacer } from "./http/pacing.js";
import type { EmbeddingProvider } from "./provider.js";
import type { ProviderObserver } from "./provider-events.js";
import type { Tokenizer } from "./tokenizer.js";

/** What an app gives every provider. No adapter reads the environment, a config file or the clock by itself. */
export interface ProviderOptions {
  /** Secrets and addresses of services, by the variable names that the manifest's `requirements` use. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder for files that can be made again, such as `models/*.onnx`. Created when missing. */
  readonly dataDir: string;
  /** Folder of models in Hugging Face layout, `<modelsDir>/<model_id>/`. */
  readonly modelsDir?: string | undefined;
  /** Told what went wrong and was repaired. Default: nobody. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Told of calls, requests, retries and the rest. Default: nobody. */
  readonly observer?: ProviderObserver | undefined;
  /** Keeps `limits.requests_per_minute` and `tokens_per_minute` among all processes of a service. Default: nobody does, and a 429 tells. */
  readonly pacer?: Pacer | undefined;
  /** Patience, clock and randomness of services over HTTP; what is left out has its default. */
  readonly http?: Partial<HttpTuning> | undefined;
}

/** What one provider module exports. The factory loads it when a profile names the provider, not earlier. */
export interface Adapter {
  createProvider(profile: Profile, options: ProviderOptions): Promise<EmbeddingProvider>;
  createTokenizer(profile: Profile, options: ProviderOptions): Promise<Tokenizer>;
  /** True when the provider has checked every vector by the time it answers. */
  readonly checksAnswers?: boolean;
}
