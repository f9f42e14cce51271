import { EmbError } from "@emb/manifest";
import type { EmbeddingProvider } from "@emb/providers";

/** A provider that refuses every one of so many texts refuses the request, whatever it says. */
const TOO_MANY_TO_BLAME = 16;

export interface EmbedOutcome {
  /** One entry for each text, in order: its vector, or why the provider refuses it. */
  readonly outcomes: readonly (Float32Array | { readonly code: string; readonly reason: string })[];
  readonly tokens: number;
}

export interface IsolatingCall {
  readonly signal: AbortSignal;
  /** Told of each part that was answered, also when the call fails after it; tokens null: the service does not say. */
  readonly onCall: (texts: readonly string[], tokens: number | null) => void;
}

/**
 * Embeds document texts; those that the provider refuses are told from the rest, and no other text is embedded twice for their sake.
 * @throws EmbError EMB_PROVIDER_REJECTED when it refuses all of many texts, and whatever it throws for another reason than a text
 */
export async function embedIsolating(
  provider: EmbeddingProvider,
  texts: readonly string[],
  { signal, onCall }: IsolatingCall,
): Promise<EmbedOutcome["outcomes"]> {
  if (texts.length === 0) return [];
  const refused = new Map<number, { code: string; reason: string }>();
  const { dense, dims } = await provider.embedDocuments(texts, {
    signal,
    onAnswered: onCall,
    setAside: (index, { code, message }) => refused.set(index, { code, reason: message }),
  });
  if (refused.size === texts.length && texts.length >= TOO_MANY_TO_BLAME) throw allRefused(texts.length, refused);
  return texts.map((_, row) => refused.get(row) ?? dense.subarray(row * dims, (row + 1) * dims));
}

function allRefused(texts: number, refused: ReadonlyMap<number, { reason: string }>): EmbError {
  const [first] = refused.values();
  return new EmbError(
    "EMB_PROVIDER_REJECTED",
    `all of ${texts} texts were refused; the first: ${first?.reason ?? ""}`,
    {
      hint: "Something other than a text is wrong: compare the profile with what the model takes.",
    },
  );
}
