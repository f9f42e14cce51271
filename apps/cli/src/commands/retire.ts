import { reasonsToKeep, retireNamespace } from "@emb/ingest";
import { EmbError } from "@emb/manifest";
import { actor, withStore } from "@emb/query";
import type { NamespaceRecord, Store } from "@emb/store";
import { typedConsent } from "../consent.js";
import { configuredNamespaces } from "../configured-namespaces.js";
import { paint } from "../output.js";
import { readSettings } from "../read-settings.js";
import type { Command, Session } from "../session.js";

export interface RetireOptions {
  readonly namespace: string;
  readonly base?: string;
  readonly yes: boolean;
}

const HOUR_MS = 3_600_000;

/** Drops a namespace that nothing uses any more. Exit 1, with every reason, when something does. */
export const retire: Command<RetireOptions> = async (session, options) => {
  const { output } = session;
  const settings = readSettings(session);
  return withStore(settings, async (store) => {
    const record = await findNamespace(store, options);
    const { namespace, base, seal } = record;
    /** Exit code 1 with every reason while something uses it; null: nothing does. */
    const kept = async (): Promise<number | null> => {
      const reasons = reasonsToKeep({
        record,
        ...configuredNamespaces(session, settings),
        runs: await store.runs.list({ base }),
        readers: await store.readers.list({ withinMs: HOUR_MS, base, departed: true }),
      });
      return reasons.length === 0 ? null : showKept(session, record, reasons);
    };
    const refused = await kept();
    if (refused !== null) return refused;
    await typedConsent(session, {
      yes: options.yes,
      what: "retire drops vectors",
      question: `Type ${namespace} to drop its vectors for good:`,
      name: namespace,
    });
    const meanwhile = await kept(); // typing takes a while
    if (meanwhile !== null) return meanwhile;
    await retireNamespace(store, { record, actor: actor() });
    output.document({ ok: true, retired: true, namespace, profile: seal.profile, reasons: [] });
    output.line(`${paint(output, "green", "retired")}  ${namespace}: its vectors are gone, the documents are kept`);
    return 0;
  });
};

function showKept({ output }: Session, { namespace, seal }: NamespaceRecord, reasons: readonly string[]): number {
  output.document({
    ok: false,
    retired: false,
    namespace,
    profile: seal.profile,
    code: "EMB_RETIRE_REFUSED",
    reasons,
  });
  output.line(`${paint(output, "red", "kept")}  EMB_RETIRE_REFUSED ${namespace}`);
  for (const reason of reasons) output.line(`  ${reason}`);
  output.line(
    "  -> Let each of them go first: change the configuration, end the run, or stop the reader and wait an hour.",
  );
  return 1;
}

async function findNamespace(store: Store, { namespace, base }: RetireOptions): Promise<NamespaceRecord> {
  const live = (await store.namespaces.list(base)).filter(({ state }) => state !== "retired");
  const found = live.filter((record) => record.namespace === namespace);
  if (found.length > 1)
    throw new EmbError(
      "EMB_USAGE",
      `${found.length} bases have a namespace ${namespace}: ${found.map((record) => record.base).join(", ")}`,
      {
        hint: "Say which with --base NAME.",
      },
    );
  if (found[0] !== undefined) return found[0];
  const names = live.map((record) => record.namespace).slice(0, 20);
  throw new EmbError(
    "EMB_NAMESPACE_NOT_FOUND",
    `there is no namespace "${namespace.slice(0, 80)}"; seen ${names.length === 0 ? "none" : names.join(", ")}`,
    { hint: "emb status lists the namespaces of a base." },
  );
}
