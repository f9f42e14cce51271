import { EmbError, NAMESPACE_MODES } from "@emb/manifest";
import { z } from "zod";
import { committedName, createTables, tableName } from "./namespace-table.js";
import type { NamespaceRecord, Namespaces } from "./namespaces.js";
import { overMeetings } from "./over-meetings.js";
import { cancelBuild } from "./postgres-index.js";
import { createPostgresReader } from "./postgres-reader.js";
import { createPostgresWriter } from "./postgres-writer.js";
import type { NamespaceAddress, Seal, WitnessProbe } from "./seal.js";
import { checkDims, checkExisting, checkMode, checkReader, checkWriter, notFound } from "./seal-check.js";
import type { SqlDriver, SqlSession, SqlTransaction } from "./sql-driver.js";
import { parseOneRow, parseRow, parseRows } from "./sql-rows.js";

const Mode = z.enum(NAMESPACE_MODES);

const Witness = z.array(z.object({ side: z.enum(["query", "document"]), text: z.string(), vector: z.base64() }));

const CatalogueRow = z
  .object({
    id: z.int(),
    base: z.string(),
    suffix: z.string(),
    mode: Mode,
    namespace: z.string(),
    state: z.enum(["filling", "ready", "retired"]),
    created_at: z.date(),
    seal_id: z.int(),
    space_id: z.string(),
    fingerprint: z.string(),
    chunker_id: z.string(),
    profile: z.string(),
    provider: z.string(),
    model_id: z.string(),
    dims: z.int(),
    similarity: z.enum(["cosine", "dot", "euclidean"]),
    storage: z.enum(["vector", "halfvec"]),
    witness: Witness,
  })
  .transform((row): StoredNamespace => ({
    sealId: row.seal_id,
    record: {
      id: row.id,
      base: row.base,
      suffix: row.suffix,
      mode: row.mode,
      namespace: row.namespace,
      state: row.state,
      createdAt: row.created_at,
      seal: {
        spaceId: row.space_id,
        fingerprint: row.fingerprint,
        chunkerId: row.chunker_id,
        profile: row.profile,
        provider: row.provider,
        modelId: row.model_id,
        dims: row.dims,
        similarity: row.similarity,
        storage: row.storage,
        witness: row.witness.map((probe) => ({ ...probe, vector: fromBase64(probe.vector) })),
      },
    },
  }));

/** A namespace with the key that its rows carry. */
interface StoredNamespace {
  readonly sealId: number;
  readonly record: NamespaceRecord;
}

// float32 in this machine's order: every platform of Node is little-endian
const toBase64 = (vector: Float32Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

function fromBase64(text: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float32Array(bytes.buffer, 0, Math.floor(bytes.byteLength / 4));
}

const witnessJson = (witness: readonly WitnessProbe[]): string =>
  JSON.stringify(witness.map(({ side, text, vector }) => ({ side, text, vector: toBase64(vector) })));

const Id = z.object({ id: z.int() });
const ModeRow = z.object({ mode: Mode });

/** Lists every column that CatalogueRow reads. */
const catalogue = (schema: string) => `
  SELECT n.id, n.base, n.suffix, n.mode, n.namespace, n.state, n.created_at, n.seal_id, s.space_id, s.fingerprint, s.chunker_id, s.profile,
    s.provider, s.model_id, s.dims, s.similarity, s.storage, s.witness
  FROM ${schema}.namespaces n JOIN ${schema}.seals s ON s.id = n.seal_id`;

export function createPostgresNamespaces(driver: SqlDriver, schema: string): Namespaces {
  const select = catalogue(schema);

  const findStored = async (session: SqlSession, { base, suffix }: Pick<NamespaceAddress, "base" | "suffix">) =>
    parseRow(
      CatalogueRow,
      await session.query(`${select} WHERE n.base = $1 AND n.suffix = $2 AND n.state <> 'retired'`, [base, suffix]),
    );

  const modeOf = async (session: SqlSession, base: string) => {
    const result = await session.query(
      `SELECT mode FROM ${schema}.bases b
       WHERE base = $1 AND EXISTS (SELECT FROM ${schema}.namespaces n WHERE n.base = b.base AND n.state <> 'retired')`,
      [base],
    );
    return parseRow(ModeRow, result)?.mode ?? null;
  };

  const list = async (base?: string) => {
    const result = await driver.query(
      `${select} WHERE $1::text IS NULL OR n.base = $1 ORDER BY n.base, n.suffix, n.id`,
      [base ?? null],
    );
    return parseRows(CatalogueRow, result).map(({ record }) => record);
  };

  const open = async (address: NamespaceAddress, profile: string): Promise<StoredNamespace> => {
    checkMode(address, await modeOf(driver, address.base));
    const stored = await findStored(driver, address);
    if (stored !== null) return stored;
    const others = (await list(address.base)).filter(({ state }) => state !== "retired");
    throw notFound(
      address,
      profile,
      others.map(({ namespace }) => namespace),
    );
  };

  const insert = async (tx: SqlTransaction, address: NamespaceAddress, seal: Seal): Promise<void> => {
    const { id: sealId } = parseOneRow(
      Id,
      await tx.query(
        `INSERT INTO ${schema}.seals (space_id, fingerprint, chunker_id, profile, provider, model_id, dims, similarity, storage, witness)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb) RETURNING id`,
        [
          seal.spaceId,
          seal.fingerprint,
          seal.chunkerId,
          seal.profile,
          seal.provider,
          seal.modelId,
          seal.dims,
          seal.similarity,
          seal.storage,
          witnessJson(seal.witness),
        ],
      ),
    );
    const { id } = parseOneRow(
      Id,
      await tx.query(
        `INSERT INTO ${schema}.namespaces (base, suffix, mode, namespace, state, seal_id) VALUES ($1, $2, $3, $4, 'filling', $5) RETURNING id`,
        [address.base, address.suffix, address.mode, address.namespace, sealId],
      ),
    );
    await tx.exec(createTables(schema, id, { id: sealId, storage: seal.storage, dims: seal.dims }));
  };

  return {
    list,
    find: async (address) => (await findStored(driver, address))?.record ?? null,
    modeOf: (base) => modeOf(driver, base),

    create: (address, seal) =>
      driver.transaction(async (tx) => {
        checkDims(seal);
        // the row of the base, locked, so that two processes cannot give it two modes
        await tx.query(
          `INSERT INTO ${schema}.bases (base, mode) VALUES ($1, $2) ON CONFLICT (base) DO UPDATE SET mode = ${schema}.bases.mode`,
          [address.base, address.mode],
        );
        checkMode(address, await modeOf(tx, address.base));
        const existing = await findStored(tx, address);
        if (existing !== null) {
          checkExisting(existing.record, seal);
          return existing.record;
        }
        await tx.query(`UPDATE ${schema}.bases SET mode = $2 WHERE base = $1`, [address.base, address.mode]);
        await insert(tx, address, seal);
        const made = await findStored(tx, address);
        if (made === null)
          throw new EmbError("EMB_INTERNAL", "a namespace was made and is not there", { hint: "Report this." });
        return made.record;
      }),

    openReader: async (address, expected, { strict }) => {
      const stored = await open(address, expected.profile);
      return createPostgresReader({
        driver,
        schema,
        record: stored.record,
        seal: checkReader(stored.record, expected, strict),
      });
    },

    openWriter: async (address, expected) => {
      const stored = await open(address, expected.profile);
      checkWriter(stored.record, expected);
      return createPostgresWriter({ driver, schema, ...stored });
    },

    markReady: async (id) =>
      void (await driver.query(`UPDATE ${schema}.namespaces SET state = 'ready' WHERE id = $1 AND state = 'filling'`, [
        id,
      ])),

    retire: (namespaceId) => {
      const id = z.int().parse(namespaceId);
      return overMeetings(() =>
        driver.transaction(async (tx) => {
          await tx.query(`UPDATE ${schema}.namespaces SET state = 'retired' WHERE id = $1`, [id]);
          await tx.query(`DELETE FROM ${schema}.changes WHERE namespace_id = $1`, [id]);
          await cancelBuild(driver, tx, tableName(schema, id));
          await tx.exec(`DROP TABLE IF EXISTS ${tableName(schema, id)}, ${committedName(schema, id)}`);
        }),
      );
    },
  };
}
