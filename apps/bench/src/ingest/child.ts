import { Task } from "./task.js";

/** Does one task in a process of its own and prints one line of JSON. */
const task = Task.parse(JSON.parse(process.argv[2] ?? ""));
const result = await perform(task);
process.stdout.write(`${JSON.stringify(result)}\n`);

/** Each loads only what it needs, so that its memory is its own. */
// oxlint-disable-next-line consistent-return -- every name returns; the compiler proves it
async function perform(given: Task): Promise<object> {
  switch (given.name) {
    case "run-by-hand":
      return (await import("./by-hand.js")).runByHand(given);
    case "scan-by-hand":
      return (await import("./by-hand.js")).scanByHand(given);
    case "langchain-add":
      return (await import("./langchain.js")).addDocuments(given);
    case "langchain-index":
      return (await import("./langchain.js")).indexDocuments(given);
    case "reingest":
      return (await import("./emb.js")).reingestTask(given);
    case "work":
      return (await import("./emb.js")).workTask(given);
    case "index":
      return (await import("./vector-index.js")).indexTask(given);
    case "queries":
      return (await import("./queries.js")).queriesTask(given);
  }
}
