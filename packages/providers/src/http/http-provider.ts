import type { z } from "zod";
import type { Profile, Side } from "@emb/manifest";
import type { Adapter, ProviderOptions } from "../adapter.js";
import { hostedTokenizer } from "../hosted-tokenizer.js";
import type { EmbeddingProvider, EmbedOptions, Sides } from "../provider.js";
import type { Operation } from "../provider-events.js";
import { gatherDense, gatherMultiVectors, gatherSparse, readAnswer, type Gathering } from "./answers.js";
import type { EmbeddingService, Endpoint } from "./embedding-service.js";
import { Failures } from "./failures.js";
import { DEFAULT_TUNING } from "./http-tuning.js";
import {
  answerBytes,
  batchBounds,
  MAX_ENVELOPE_BYTES,
  maxTokens,
  multiVectorBounds,
  multiVectorBytes,
  sparseBytes,
  denseBytes,
  type BatchBounds,
} from "./batch-bounds.js";
import { refuseLongTexts } from "./long-texts.js";
import { createPacing } from "./pacing.js";
import { planBatches } from "./plan-batches.js";
import { serviceAccess } from "./service-access.js";
import type { ServiceSetup } from "./service-attempts.js";
import { ServiceClient } from "./service-client.js";
import { createTransport } from "./transport.js";

/** The adapter of a service over HTTP: everything that all services have in common around what is particular to one. */
export const httpAdapter = (service: EmbeddingService): Adapter => ({
  createProvider: async (profile, options) => createHttpProvider(profile, service, options),
  createTokenizer: hostedTokenizer,
  checksAnswers: true,
});

/** @throws EmbError EMB_REQUIREMENT_MISSING, EMB_ENV_INVALID, EMB_MANIFEST_INVALID */
function createHttpProvider(profile: Profile, service: EmbeddingService, options: ProviderOptions): EmbeddingProvider {
  const tuning = { ...DEFAULT_TUNING, ...options.http };
  const access = serviceAccess(profile, options.env, service.publicUrl);
  const setup: ServiceSetup = {
    profile,
    service,
    access,
    transport: createTransport(access.origin, tuning.maxConcurrency),
    failures: new Failures(profile, access.host),
    tuning,
    pacing: createPacing({ profile, access, pacer: options.pacer, tuning }),
    observer: options.observer ?? (() => {}),
  };
  const client = new ServiceClient(setup);
  const bounds = batchBounds(profile, service);
  const { dims } = profile;
  const servedModel = onceFulfilled((signal) => checkServedModel(client, setup, signal));
  const tokenizer = onceFulfilled(() => hostedTokenizer(profile, options));

  const sides = <A, E>(
    operation: Operation,
    endpoint: Endpoint<A>,
    batches: BatchBounds,
    vectorBytes: (text: string) => number,
    gather: (answer: z.ZodType<A>, texts: readonly string[]) => Gathering<E>,
  ): Sides<E> => {
    const embed = async (
      plain: readonly string[],
      side: Side,
      { signal, setAside, onAnswered }: EmbedOptions,
    ): Promise<E> => {
      const prompt = profile.prompts[side];
      const texts = prompt === "" ? plain : plain.map((text) => prompt + text);
      await refuseLongTexts(plain, texts, profile, tokenizer, signal);
      await servedModel(signal);
      const gathering = gather(endpoint.answer, texts);
      const tokens = await client.deliver(
        {
          operation,
          side,
          request: ({ start, end }, base64) => ({
            path: endpoint.path,
            body: endpoint.body({ profile, texts: texts.slice(start, end), side, base64 }),
          }),
          maxAnswerBytes: ({ start, end }) => answerBytes(texts.slice(start, end), vectorBytes),
          expectedTokens: async ({ start, end }, stop) => {
            const counter = await tokenizer(stop);
            return plain.slice(start, end).reduce((total, text) => total + counter.countTokens(text).estimate, 0);
          },
          accept: (body, batch) => gathering.accept(body, batch),
          answered: ({ start, end }, counted) => onAnswered?.(plain.slice(start, end), counted),
          setAside:
            setAside &&
            ((index, error) => {
              gathering.leaveOut(index);
              setAside(index, error);
            }),
        },
        planBatches(texts, batches),
        signal,
      );
      return gathering.result(tokens);
    };
    return {
      embedDocuments: (texts, embedOptions) => embed(texts, "document", embedOptions),
      embedQueries: (texts, embedOptions) => embed(texts, "query", embedOptions),
    };
  };

  const { supportsSparse, supportsColbert } = profile.capabilities;
  return {
    profile,
    ...sides("dense", service.dense, bounds, denseBytes(dims), (answer, texts) =>
      gatherDense(profile, answer, texts.length, setup.failures),
    ),
    ...(supportsSparse && service.sparse !== undefined
      ? {
          sparse: sides("sparse", service.sparse, bounds, sparseBytes, (answer, texts) =>
            gatherSparse(answer, texts.length, setup.failures),
          ),
        }
      : {}),
    ...(supportsColbert && service.multiVector !== undefined
      ? {
          multiVector: sides(
            "multi_vector",
            service.multiVector,
            multiVectorBounds(bounds, dims),
            multiVectorBytes(dims),
            (answer, texts) =>
              gatherMultiVectors(
                profile,
                answer,
                texts.length,
                ({ start, end }) => texts.slice(start, end).reduce((sum, text) => sum + maxTokens(text), 0),
                setup.failures,
              ),
          ),
        }
      : {}),
    close: () => setup.transport.close(),
  };
}

/** For services whose answers name no model. @throws EmbError EMB_PROVIDER_RESPONSE_INVALID when it is another one */
async function checkServedModel(
  client: ServiceClient,
  { service: { modelInfo }, failures }: ServiceSetup,
  signal: AbortSignal,
): Promise<void> {
  if (modelInfo === undefined) return;
  await client.deliver(
    {
      operation: "dense",
      side: "query",
      request: () => ({ path: modelInfo.path, body: null }),
      maxAnswerBytes: () => MAX_ENVELOPE_BYTES,
      expectedTokens: async () => 0,
      accept: (body) => ({ tokens: null, model: readAnswer(body, null, modelInfo.answer, failures).model }),
    },
    [{ start: 0, end: 0 }],
    signal,
  );
}

/** Does it until it has worked once. */
function onceFulfilled<T>(work: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let done: Promise<T> | undefined;
  return async (signal) => {
    if (done !== undefined) return done;
    const value = await work(signal);
    done = Promise.resolve(value);
    return value;
  };
}
