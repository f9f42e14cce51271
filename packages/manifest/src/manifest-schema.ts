import * as z from "zod";
import { resolveProvider, unknownProviderHint } from "./provider-names.js";

/** Components of one vector. Source: pgvector README, limits of the `vector` type, read 2026-11. */
export const MAX_DIMS = 16_000;

/** What a profile gets for a limit that it does not write: small enough for every model that emb ships an adapter for. */
export const DEFAULT_LIMITS = { maxInputTokens: 512 } as const;

const name = z.string().trim().min(1);
const count = z.int().min(1);
const bySide = z.strictObject({ query: z.string().optional(), document: z.string().optional() });

/** http or https without a user name or password: those belong in the provider's own variables. */
export const ServiceUrl = z
  .url({ protocol: /^https?$/, error: "expected an http or https address" })
  .refine((value) => !/^[a-z]+:\/\/[^/?#]*@/i.test(value), {
    error: "an address must not hold a user name or password",
    params: { hint: "Take the secret out of the address and set the provider's key variable." },
  });

const ProfileFields = z.strictObject({
  description: z.string().optional(),
  provider: name
    .refine((value) => resolveProvider(value) !== null, {
      error: ({ input }) => `provider "${String(input)}" is not known`,
      params: { code: "EMB_PROVIDER_UNKNOWN", hint: (input: unknown) => unknownProviderHint(String(input)) },
    })
    .meta({ description: "Provider id or alias." }),
  model_id: name.meta({ description: "The model's name at the provider." }),
  version: name.optional().meta({ description: "Default: model_id." }),
  revision: name.optional().meta({ description: "Pinned revision of the weights, for example a commit hash." }),
  dims: z
    .int()
    .min(1)
    .refine((value) => value <= MAX_DIMS, {
      error: ({ input }) => `expected dims of 1 to ${MAX_DIMS}, got ${String(input)}`,
      params: {
        code: "EMB_DIMS_UNSUPPORTED",
        hint: `No store of emb holds more than ${MAX_DIMS} dims: ask the model for fewer.`,
      },
    })
    .meta({ maximum: MAX_DIMS, description: "Components of one vector." }),
  similarity: z.enum(["cosine", "dot", "euclidean"]),
  storage: z
    .enum(["vector", "halfvec"])
    .optional()
    .meta({ description: "Default: halfvec for 2,001 to 4,000 dims, else vector." }),
  precision: name.optional().meta({ description: "Number format of the weights, for example int8 or fp32." }),
  pooling: name.optional(),
  task: name.optional().meta({ description: "What the profile is for, in words; never sent." }),
  tasks: bySide.optional().meta({ description: "Task names sent to the provider with queries and documents." }),
  prompts: bySide.optional().meta({ description: "Text put before each query and document." }),
  tokenizer: z.strictObject({
    backend: name,
    model_id: name.optional().meta({ description: "Default: the profile's model_id." }),
  }),
  capabilities: z.strictObject({
    supports_dense: z.boolean().default(true),
    supports_sparse: z.boolean().default(false),
    supports_colbert: z.boolean().default(false),
    supports_long_sequences: z.boolean().default(false),
    normalized_output: z.boolean().default(false).meta({ description: "True when every vector has L2 norm 1." }),
    multilingual: z.boolean().default(false),
  }),
  requirements: z
    .array(z.string().regex(/^[A-Z_][A-Z0-9_]*$/, "expected the name of an environment variable, such as JINA_API_KEY"))
    .default([])
    .meta({ description: "Environment variables that must be set when the profile is in use." }),
  limits: z
    .strictObject({
      max_input_tokens: count.default(DEFAULT_LIMITS.maxInputTokens),
      max_batch_items: count.optional(),
      max_batch_tokens: count.optional(),
      requests_per_minute: count.optional(),
      tokens_per_minute: count.optional(),
    })
    .prefault({}),
  service_url: ServiceUrl.optional(),
  price_per_million_tokens: z
    .number()
    .min(0)
    .optional()
    .meta({ description: "USD. Absent means unknown, which is not 0." }),
  sunset: z.iso
    .date("expected a date such as 2027-01-31")
    .optional()
    .meta({ description: "Day on which the provider ends the model." }),
});

/** The two fields of the dot rule: it is checked even when other fields of the profile are wrong. */
const DotFields = z.object({
  similarity: z.literal("dot"),
  capabilities: z.object({ normalized_output: z.literal(false).optional() }).optional(),
});

/** One profile as a user may write it. */
export const WrittenProfile = ProfileFields.refine(() => false, {
  error: 'similarity "dot" needs capabilities.normalized_output: true',
  path: ["similarity"],
  params: {
    hint: 'Set normalized_output: true when the model normalises its vectors, else choose similarity "cosine".',
  },
  when: ({ value }) => DotFields.safeParse(value).success,
});
export type WrittenProfile = z.output<typeof WrittenProfile>;

/** Starts with a letter, so that the order of the file is the order in memory (JavaScript sorts keys that are numbers first). */
export const ProfileName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, "expected a letter, then at most 62 letters, digits, _ . or -");

/** The manifest as a user may write it: config/embedding_profiles.yaml. */
export const WrittenManifest = z.strictObject({
  default: ProfileName.optional().meta({
    description: "Baseline of an environment that names none. Default: the first profile.",
  }),
  profiles: z
    .record(ProfileName, WrittenProfile)
    .refine((profiles) => Object.keys(profiles).length > 0, { error: "expected at least one profile" }),
});
export type WrittenManifest = z.output<typeof WrittenManifest>;
