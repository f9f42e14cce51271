import { z } from "zod";
import type { Comparison, Documents, IncomingDocument } from "./documents.js";
import type { SqlDriver } from "./sql-driver.js";
import { parseOneRow } from "./sql-rows.js";
import { checkStorableId } from "./stored-text.js";

const HASH_BYTES = 32;
/** So many other documents are passed by on a walk, however short the batch; reading them costs as much as looking for a hundred. */
const OTHERS_PASSED = 500;

const StoredRow = z.object({
  hashes: z.instanceof(Uint8Array),
  elsewhere: z.array(z.string()),
  /** Of the caller, where any in the batch is; null: drawn. */
  versions: z.array(z.string().nullable()),
});
const StretchRow = StoredRow.extend({ ids: z.array(z.string()) });

/** Its version is the caller's own. */
export const isOwn = ({ ownVersion }: IncomingDocument): boolean => ownVersion === true;

/**
 * Tells whether the document has the hash at this place of those that are stored, came from the same source, and has no higher version of the caller's
 * than the one there.
 */
function comparison({ hashes, elsewhere, versions }: z.infer<typeof StoredRow>) {
  const stored = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  const foreign = new Set(elsewhere);
  const outranked = (document: IncomingDocument, place: number): boolean => {
    if (!isOwn(document)) return false;
    const version = versions[place] ?? null;
    return version === null || BigInt(version) < document.version;
  };
  return (document: IncomingDocument, place: number): boolean =>
    stored.compare(document.contentHash, 0, HASH_BYTES, place * HASH_BYTES, (place + 1) * HASH_BYTES) === 0 &&
    !foreign.has(document.id) &&
    !outranked(document, place);
}

/** Asked for only where the batch has versions of the caller's: reading them costs a tenth of a walk. */
const versionsOf = (incoming: readonly IncomingDocument[], order = "") =>
  incoming.some(isOwn)
    ? `coalesce(json_agg(CASE WHEN own_version THEN version::text END ${order}), '[]') AS versions`
    : `'[]'::json AS versions`;

const SURROGATE = /[\ud800-\udfff]/;

/** In order of id behind `after`, as the database has it: bytewise, which is that of UTF-16 units where there are no surrogates. */
const isStretch = (documents: readonly IncomingDocument[], after: string | null): boolean =>
  documents.length > 0 &&
  documents.every(({ id }, place) => {
    const before = place === 0 ? after : documents[place - 1]!.id;
    return (before === null || before < id) && !SURROGATE.test(id);
  });

type Compared = Parameters<Documents["compare"]>[0];

/** `Documents.compare`. */
export function createComparison(driver: SqlDriver, schema: string): Pick<Documents, "compare"> {
  const documents = `${schema}.documents`;

  /** A look into the key for each. The hashes come back as one value in the order of the ids: a row for each would cost more than reading them. */
  const compareEach = async ({ base, source, documents: incoming }: Compared): Promise<Comparison> => {
    const result = await driver.query(
      `SELECT string_agg(coalesce(d.content_hash, $4::bytea), '' ORDER BY i.position) AS hashes,
         coalesce(json_agg(i.id) FILTER (WHERE d.source <> $3), '[]') AS elsewhere, ${versionsOf(incoming, "ORDER BY i.position")}
       FROM unnest($2::text[]) WITH ORDINALITY AS i (id, position)
       LEFT JOIN LATERAL (
         SELECT content_hash, source, version, own_version FROM ${documents} WHERE base = $1 AND document_id = i.id AND NOT deleted
         LIMIT 1 -- one look into the key for each: a thousand ids at once are taken for a reason to read the whole table
       ) AS d ON true`,
      [base, incoming.map(({ id }) => id), source, new Uint8Array(HASH_BYTES)],
    );
    const stored = parseOneRow(StoredRow, result);
    const isStored = comparison(stored);
    return { differing: incoming.filter((document, place) => !isStored(document, place)), unseen: null };
  };

  /**
   * One walk along the key, which takes a fifth of the time; null when other documents stand on the way in such numbers that it would be a long one.
   */
  const compareWalking = async (compared: Compared): Promise<Comparison | null> => {
    const { base, source, documents: incoming, walkedThrough } = compared;
    const most = 2 * incoming.length + OTHERS_PASSED;
    const result = await driver.query(
      `SELECT coalesce(json_agg(document_id), '[]') AS ids, coalesce(string_agg(content_hash, ''), '') AS hashes,
         coalesce(json_agg(document_id) FILTER (WHERE source <> $4), '[]') AS elsewhere, ${versionsOf(incoming)}
       FROM (
         SELECT document_id, content_hash, source, version, own_version FROM ${documents}
         WHERE base = $1 AND document_id ${walkedThrough === null ? ">=" : ">"} $2 AND document_id <= $3 AND NOT deleted
         ORDER BY document_id LIMIT $5::integer
       ) AS stretch`,
      [base, walkedThrough ?? incoming[0]!.id, incoming.at(-1)!.id, source, most],
    );
    const { ids, ...stored } = parseOneRow(StretchRow, result);
    if (ids.length === most) return null;
    const isStored = comparison(stored);
    const unseen: string[] = [];
    let place = 0;
    const differing = incoming.filter((document) => {
      while (place < ids.length && ids[place]! < document.id) unseen.push(ids[place++]!);
      return ids[place] !== document.id || !isStored(document, place++);
    });
    const foreign = new Set(stored.elsewhere);
    return { differing, unseen: walkedThrough === null ? null : unseen.filter((id) => !foreign.has(id)) };
  };

  return {
    compare: async (compared) => {
      const { documents: incoming, walkedThrough } = compared;
      for (const { id } of incoming) checkStorableId(id);
      const walked = isStretch(incoming, walkedThrough) ? await compareWalking(compared) : null;
      return walked ?? compareEach(compared);
    },
  };
}
