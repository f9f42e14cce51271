import { PostgresRecordManager } from "@langchain/community/indexes/postgres";
import { PGVectorStore } from "@langchain/community/vectorstores/pgvector";
import { Document } from "@langchain/core/documents";
import { index } from "@langchain/core/indexing";
import { OpenAIEmbeddings } from "@langchain/openai";
import { BATCH, CONCURRENCY } from "../client/by-hand.js";
import { MODEL } from "../client/texts.js";
import { documentId, documentText } from "./corpus.js";
import { mark, type Marks, type TaskOf } from "./task.js";

async function openPeer({ database, service, schema }: TaskOf<"langchain-add" | "langchain-index">) {
  const embeddings = new OpenAIEmbeddings({
    model: MODEL,
    apiKey: "none",
    batchSize: BATCH,
    maxConcurrency: CONCURRENCY,
    stripNewLines: false,
    configuration: { baseURL: service },
  });
  const postgresConnectionOptions = { connectionString: database };
  const store = await PGVectorStore.initialize(embeddings, {
    postgresConnectionOptions,
    tableName: `langchain_${schema}`,
  });
  const records = new PostgresRecordManager(schema, { postgresConnectionOptions, tableName: `records_${schema}` });
  await records.createSchema();
  return { store, records };
}

const peerDocuments = (count: number): Document[] =>
  Array.from(
    { length: count },
    (_, i) => new Document({ pageContent: documentText(i, []), metadata: { source: documentId(i) } }),
  );

/** What its users call; the documents are in memory. */
export async function addDocuments(task: TaskOf<"langchain-add">): Promise<Marks> {
  const { store, records } = await openPeer(task);
  const documents = peerDocuments(task.documents);
  const start = mark();
  await store.addDocuments(documents);
  const end = mark();
  await store.end();
  await records.end();
  return { marks: { start, end }, peak_mib: process.resourceUsage().maxRSS / 1024, embedded: task.documents };
}

/** Its re-index of documents that it has or has not seen before. */
export async function indexDocuments(task: TaskOf<"langchain-index">): Promise<Marks> {
  const { store, records } = await openPeer(task);
  const documents = peerDocuments(task.documents);
  const start = mark();
  const { numAdded } = await index({
    docsSource: documents,
    recordManager: records,
    vectorStore: store,
    options: { cleanup: "full", sourceIdKey: "source", batchSize: 1_000 },
  });
  const end = mark();
  await store.end();
  await records.end();
  return { marks: { start, end }, peak_mib: process.resourceUsage().maxRSS / 1024, embedded: numAdded };
}
