import { describe, expect, it } from "vitest";
import { requireSharedQuery } from "./ask-queries.js";

const set = { queries: ["q1", "q2"].map((id) => ({ id, text: id, labels: new Map<string, string>() })) };
const run = (...ids: string[]) => new Map(ids.map((id) => [id, []]));

describe("a run file as a side", () => {
  it("may leave queries out", () => {
    expect(() => requireSharedQuery(set, "run:some.run", run("q2", "q9"))).not.toThrow();
  });

  it.each([
    ["of other queries", run("q8", "q9"), 2],
    ["that is empty", run(), 0],
  ])("%s is refused: it would lose or win by that alone", (_name, rankings, answers) => {
    expect(() => requireSharedQuery(set, "run:other.run", rankings)).toThrowError(
      expect.objectContaining({
        code: "EMB_QUERIES_INVALID",
        message: `run:other.run: expected answers to the 2 queries, got ${answers} answers to others`,
      }),
    );
  });
});
