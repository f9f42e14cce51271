import type { NamespaceRecord } from "./namespaces.js";

/** A table outside emb that holds texts with their vectors, one row for each. Names as they stand in the database; a dot parts schema and table. */
export interface ForeignTable {
  readonly table: string;
  readonly idColumn: string;
  readonly textColumn: string;
  /** Of pgvector's type vector or halfvec. */
  readonly vectorColumn: string;
}

export interface TableFacts {
  readonly rows: number;
  /** Rows that can be taken: an id of 1 to 1,024 bytes that no other row has, a text that is not blank, a vector. */
  readonly usable: number;
  /** The most that a vector has; null: there is none. */
  readonly dims: number | null;
}

/** Takes over tables that another program filled, inside the database: no vector leaves it but the sampled ones. */
export interface Adoption {
  /** @throws EmbError EMB_SOURCE_INVALID when the table, a column or the column's type is not as said */
  inspect(table: ForeignTable): Promise<TableFacts>;
  /** Up to `limit` usable rows, spread over the table; the same ones each time. */
  sample(
    table: ForeignTable,
    limit: number,
  ): Promise<readonly { readonly id: string; readonly text: string; readonly vector: Float32Array }[]>;
  /** Ids (or `row without id`) of rows that cannot be taken, with the reason; at most `limit`. */
  leftOut(table: ForeignTable, limit: number): Promise<readonly { readonly id: string; readonly reason: string }[]>;
  /**
   * Copies every usable row as a document of the namespace's base, of one chunk, and ends the run's intake, in one transaction. The base must have no documents.
   * @param take.hashPrefix what a document's content hash covers before its text
   * @throws EmbError EMB_USAGE for a base that has documents, EMB_VECTOR_INVALID for a vector of other dims
   */
  copy(take: {
    record: NamespaceRecord;
    runId: string;
    version: bigint;
    source: string;
    table: ForeignTable;
    hashPrefix: Uint8Array;
  }): Promise<{ readonly documents: number }>;
}
