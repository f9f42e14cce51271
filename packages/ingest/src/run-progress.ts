import type { Run } from "@emb/store";
import type { IntakeReport } from "./intake.js";

/** What a run tells while it goes on. */
export type Progress =
  | {
      readonly kind: "run";
      readonly runId: string;
      readonly namespace: string;
      readonly resumed: boolean;
      /** When the source was read, for a run that does not read it again; null: it is read now. */
      readonly sourceReadAt: Date | null;
    }
  | { readonly kind: "intake"; readonly seen: number }
  | { readonly kind: "taken-in"; readonly report: IntakeReport }
  /** Documents of the whole base; chunks committed and embedded by this process. */
  | {
      readonly kind: "fill";
      readonly documents: number;
      readonly documentsTotal: number;
      readonly chunks: number;
      readonly embedded: number;
    }
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "index" }
  /** What works, but not as well as it might: search stays exact because of the profile's dims. */
  | { readonly kind: "warning"; readonly message: string }
  | { readonly kind: "verify"; readonly chunks: number; readonly chunksTotal: number };

/** Of the documents to fill, those that the namespace shows as they were when intake was done, or newer. */
export const documentsShown = ({ documentsTotal, documentsPending, counters }: Run): number =>
  documentsTotal - documentsPending + counters.documents;
