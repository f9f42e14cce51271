import { describe, expect, it } from "vitest";
import { OwnContents } from "./own-contents.js";
import { SeenDocuments } from "./seen-documents.js";

const key = (n: number) => n.toString(16).padStart(64, "0");

describe("the contents that a process embedded itself", () => {
  it("are those that were added", () => {
    const own = new OwnContents();
    for (let n = 0; n < 5_000; n++) own.add(key(n));
    expect([0, 1, 4_999, 5_000, 9_999].map((n) => own.mayHold(key(n)))).toEqual([true, true, true, false, false]);
  });

  it("may be any once not all can be remembered, so that nothing is embedded again for want of room", () => {
    const own = new OwnContents(new SeenDocuments(2));
    own.add(key(1));
    own.add(key(2));
    expect([1, 2, 3].map((n) => own.mayHold(key(n)))).toEqual([true, true, false]);
    own.add(key(3));
    expect([1, 2, 3, 4].map((n) => own.mayHold(key(n)))).toEqual([true, true, true, true]);
  });
});
