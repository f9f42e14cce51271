import { createHash } from "node:crypto";
import { actor, withStore } from "@emb/query";
import { readSettings } from "../read-settings.js";
import type { Command } from "../session.js";
import { ownVersion } from "../own-version.js";

export interface DeleteOptions {
  readonly id: string;
  readonly version?: string;
  readonly base?: string;
  readonly erase: boolean;
}

/**
 * Tombstones one document and removes its chunks from every namespace of its base at once. With --erase nothing but id and version is left in any table,
 * and the audit log says so by the hash of the id.
 */
export const deleteCommand: Command<DeleteOptions> = async (session, options) => {
  const { output } = session;
  const settings = readSettings(session);
  const { id, erase } = options;
  const base = options.base ?? settings.store.baseNamespace;
  const given = ownVersion(options.version);
  return withStore(settings, async (store) => {
    const version = given ?? (await store.documents.nextVersion());
    const deletion = await store.documents.delete({ base, documentId: id, version, ownVersion: given !== null, erase });
    if (erase && deletion.state !== "superseded")
      await store.audit.append({
        action: "document.erased",
        actor: actor(),
        detail: {
          base,
          document_id_sha256: createHash("sha256").update(id).digest("hex"),
          version: deletion.version.toString(),
        },
      });
    const state = { deleted: "deleted", absent: "unchanged", superseded: "superseded" }[deletion.state];
    const namespaces = (await store.namespaces.list(base))
      .filter((record) => record.state !== "retired")
      .map(({ namespace }) => ({ namespace, state }));
    const erased = erase && deletion.state !== "superseded";
    output.document({
      document_id: id,
      version: Number(deletion.version),
      state: deletion.state,
      erased,
      namespaces,
    });
    output.line(`${erased ? "erased" : deletion.state}  ${id}, version ${deletion.version}`);
    for (const row of namespaces) output.line(`  ${row.namespace}: ${row.state}`);
    if (erased)
      output.line(
        "  Its id and version stay as a tombstone. Write-ahead log, backups, replicas and pages not yet vacuumed are outside of emb: see docs/runbooks/live-changes.md.",
      );
    return 0;
  });
};
