import { createHash } from "node:crypto";
import { canonicalJson } from "@emb/manifest";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { documentHash } from "./content-hash.js";

const document = fc.record({
  title: fc.option(fc.string({ unit: "grapheme" })),
  format: fc.constantFrom("markdown" as const, "text" as const),
  text: fc.string({ unit: "grapheme" }),
  metadata: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.boolean())), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
});

it("a document's hash is that of its canonical JSON and its text: stored ones stay equal", () => {
  fc.assert(
    fc.property(document, ({ text, ...about }) => {
      const whole = `${canonicalJson(about)}\0${text}`;
      expect(documentHash({ text, ...about }).toString("hex")).toBe(createHash("sha256").update(whole).digest("hex"));
    }),
  );
  const bare = { title: null, format: "text", text: "", metadata: {} } as const;
  expect(documentHash(bare).toString("hex")).toBe(
    createHash("sha256").update('{"format":"text","metadata":{},"title":null}\0').digest("hex"),
  );
});
