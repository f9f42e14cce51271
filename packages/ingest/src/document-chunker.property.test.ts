import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { createChunker } from "./document-chunker.js";
import { createPlainTokenizer } from "./testing/plain-tokenizer.js";

vi.setConfig({ testTimeout: 60_000 });

const tokenizer = createPlainTokenizer();
const countTokens = (text: string): number => tokenizer.countTokens(text).tokens;

const word = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-zA-Z]{1,9}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "e.g.",
      "https://example.org/a/b?c=d",
      "caf\u00e9",
      "\u65e5\u672c\u8a9e\u3002",
      "\u{1F469}\u200d\u{1F680}",
      "**bold**",
      "[a](b)",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replace(/[`~\r\0\ud800-\udfff]/g, "")),
  },
);
const sentence = fc.array(word, { minLength: 1, maxLength: 14 }).map((words) => `${words.join(" ")}. `);
const paragraph = fc.array(sentence, { minLength: 1, maxLength: 6 }).map((all) => all.join(""));
const codeLine = fc.oneof(fc.constant(""), fc.stringMatching(/^ {0,6}[a-z =+()]{0,30}$/), fc.constant("x".repeat(120)));
const fence = fc
  .record({
    fence: fc.constantFrom("```", "~~~~"),
    info: fc.constantFrom("", "js", "sh"),
    code: fc.array(codeLine, { maxLength: 25 }),
    indent: fc.constantFrom("", "  "),
  })
  .map(
    ({ fence: mark, info, code, indent }) =>
      `${indent}${mark}${info}\n${code.map((line) => `${indent}${line}\n`).join("")}${indent}${mark}`,
  );
const heading = fc
  .tuple(fc.integer({ min: 1, max: 6 }), sentence)
  .map(([depth, text]) => `${"#".repeat(depth)} ${text.replace(/\n/g, " ")}`);
const list = fc
  .array(
    fc.oneof(
      paragraph.map((text) => `- ${text}`),
      fence.map((text) => `1. item\n\n${text.replace(/^/gm, "   ")}`),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((items) => items.join("\n"));
const quote = fc.oneof(paragraph, fence).map((text) => text.replace(/^/gm, "> "));
const table = fc
  .array(fc.tuple(word, word), { maxLength: 20 })
  .map((rows) => `| a | b |\n| - | - |\n${rows.map(([a, b]) => `| ${a} | ${b} |`).join("\n")}`);
const block = fc.oneof(
  paragraph,
  fence,
  heading,
  list,
  quote,
  table,
  fc.constantFrom("---", "<div>\n<p>x</p>\n</div>", "    indented", "Setext\n===", "-".repeat(60)),
);
const document = fc.record({
  title: fc.option(sentence),
  text: fc.array(block, { maxLength: 12 }).map((blocks) => blocks.join("\n\n")),
  format: fc.constantFrom<"markdown" | "text">("markdown", "text"),
});
const limit = fc.oneof(fc.integer({ min: 16, max: 40 }), fc.integer({ min: 16, max: 400 }));

const visible = (text: string): string => text.replace(/\s+/g, "");
const isSubsequence = (part: string, whole: string): boolean => {
  let at = 0;
  for (let index = 0; index < whole.length && at < part.length; index++) if (whole[index] === part[at]) at++;
  return at === part.length;
};

describe("createChunker, for any text and any limit of at least 16 tokens", () => {
  it("keeps the limit, loses nothing, cuts no pair and repeats itself", () => {
    fc.assert(
      fc.property(document, limit, (input, maxTokens) => {
        const chunks = createChunker({ maxTokens, countTokens }).chunk(input);
        for (const chunk of chunks) {
          expect(countTokens(chunk.embedText)).toBeLessThanOrEqual(maxTokens);
          expect(chunk.text.trim()).not.toBe("");
          expect(chunk.text).not.toMatch(/\p{Surrogate}/u);
          expect(countTokens(chunk.headingPath)).toBeLessThanOrEqual(2 + maxTokens / 3);
        }
        expect(isSubsequence(visible(input.text), visible(chunks.map((chunk) => chunk.text).join("")))).toBe(true);
        expect(createChunker({ maxTokens, countTokens }).chunk(input)).toEqual(chunks);
      }),
      { numRuns: 300 },
    );
  });

  it("leaves no fence open", () => {
    fc.assert(
      fc.property(document, limit, (input, maxTokens) => {
        for (const { text } of createChunker({ maxTokens, countTokens }).chunk({ ...input, format: "markdown" })) {
          const marks = text.split("\n").filter((line) => /^[\s>]*(?:(?:[-+*]|\d+[.)]) +)?(?:`{3,}|~{3,})/.test(line));
          expect(marks.length % 2).toBe(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("takes any string at all", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(...Array.from("#->|`~ \n\t1.*_ab[](){}<!=:\u0301\u{1F600}")),
          maxLength: 300,
        }),
        limit,
        (text, maxTokens) => {
          const chunks = createChunker({ maxTokens, countTokens }).chunk({ title: null, format: "markdown", text });
          for (const chunk of chunks) expect(countTokens(chunk.embedText)).toBeLessThanOrEqual(maxTokens);
          expect(isSubsequence(visible(text), visible(chunks.map((chunk) => chunk.text).join("")))).toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
