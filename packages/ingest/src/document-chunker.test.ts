import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { marked } from "marked";
import { describe, expect, it, vi } from "vitest";
import type { TextChunk } from "./chunker.js";
import { createChunker } from "./document-chunker.js";
import { createPlainTokenizer } from "./testing/plain-tokenizer.js";

vi.setConfig({ testTimeout: 60_000 }); // a megabyte takes a second or two, more on a busy machine

const tokenizer = createPlainTokenizer();
const countTokens = (text: string): number => tokenizer.countTokens(text).tokens;

const chunk = (text: string, maxTokens = 40, title: string | null = null): readonly TextChunk[] =>
  createChunker({ maxTokens, countTokens }).chunk({ title, format: "markdown", text });
const texts = (...input: Parameters<typeof chunk>): string[] => chunk(...input).map((piece) => piece.text);
const plainTexts = (text: string, maxTokens = 40): string[] =>
  createChunker({ maxTokens, countTokens })
    .chunk({ title: null, format: "text", text })
    .map((piece) => piece.text);

const paths = (title: string): string[] =>
  chunk("Intro.\n\n# The `guide`\n\nHello.\n\n## Install\n\nDo it.", 40, title).map((piece) => piece.headingPath);

describe("sections", () => {
  it("are chunks of their own, with the headings above them as context", () => {
    expect(
      chunk("Intro.\n\n# Guide\n\nHello.\n\n## Install\n\nDo it.\n\n### Notes\n\nMind it.\n\n# End\n\nBye.\n"),
    ).toEqual([
      { headingPath: "", text: "Intro.", embedText: "Intro." },
      { headingPath: "", text: "# Guide\n\nHello.", embedText: "# Guide\n\nHello." },
      { headingPath: "Guide", text: "## Install\n\nDo it.", embedText: "Guide\n\n## Install\n\nDo it." },
      {
        headingPath: "Guide > Install",
        text: "### Notes\n\nMind it.",
        embedText: "Guide > Install\n\n### Notes\n\nMind it.",
      },
      { headingPath: "", text: "# End\n\nBye.", embedText: "# End\n\nBye." },
    ]);
  });

  it("that are cut carry their own heading in the path from the second chunk on", () => {
    const paragraphs = Array.from({ length: 4 }, (_, index) => `Text ${index} ${"word ".repeat(12)}end.`).join("\n\n");
    expect(chunk(`# Guide\n\n## Install\n\n${paragraphs}`).map((piece) => piece.headingPath)).toEqual([
      "",
      "Guide > Install",
    ]);
  });

  it.each([
    ["a heading without a body travels with its first subsection", "# A\n\n## B\n\nText.", ["# A\n\n## B\n\nText."]],
    ["and with its next sibling", "## A\n\n## B\n\nText.", ["## A\n\n## B\n\nText."]],
    ["but not out of its parent", "# A\n\nx\n\n## B\n\n# C\n\nText.", ["# A\n\nx", "## B", "# C\n\nText."]],
    ["the last one stands alone", "# A\n\nText.\n\n## B", ["# A\n\nText.", "## B"]],
    ["setext headings count", "A\n===\n\nText.\n\nB\n---\n\nMore.", ["A\n===\n\nText.", "B\n---\n\nMore."]],
    ["a comment in code is no heading", "# A\n\n```sh\n# not one\n```\n", ["# A\n\n```sh\n# not one\n```"]],
  ])("%s", (_what, text, want) => expect(texts(text)).toEqual(want));

  it("name the document's title first, once", () => {
    expect(paths("Manual")).toEqual(["Manual", "Manual", "Manual > The guide"]);
    expect(paths("the guide")).toEqual(["the guide", "", "The guide"]);
  });

  it("have paths of at most a third of the limit, shortened from the outer end", () => {
    const text = "# Alpha beta gamma delta\n\nx\n\n## Epsilon zeta eta\n\nx\n\n### Theta\n\nText.";
    const path = (maxTokens: number): string | undefined => chunk(text, maxTokens).at(-1)?.headingPath;
    expect(path(40)).toBe("Alpha beta gamma delta > Epsilon zeta eta");
    expect(path(26)).toBe("Epsilon zeta eta");
    expect(path(16)).toBe("Epsilon zeta eta");
    expect(path(13)).toBe("Epsilon\u2026");
  });

  it("have headings as plain words in the path", () => {
    expect(chunk("# About\\_Arrays and **[links](https://example.org)**\n\nx\n\n## B\n\ny").at(-1)?.headingPath).toBe(
      "About_Arrays and links",
    );
  });
});

const block = (name: string): string => `${name} one two three four five six seven.`;

describe("blocks", () => {
  it("are packed until the next one does not fit", () => {
    expect(texts(["A", "B", "C", "D", "E"].map(block).join("\n\n"), 24)).toEqual([
      `${block("A")}\n\n${block("B")}`,
      `${block("C")}\n\n${block("D")}`,
      block("E"),
    ]);
  });

  it("of code are cut between lines, every part in the same fence", () => {
    const code = Array.from({ length: 6 }, (_, index) => `line ${index} = call(${index})`).join("\n");
    expect(texts(`Intro.\n\n~~~js title\n${code}\n~~~\n\nAfter.`, 36)).toEqual([
      "Intro.",
      "~~~js title\nline 0 = call(0)\nline 1 = call(1)\nline 2 = call(2)\n~~~",
      "~~~js title\nline 3 = call(3)\nline 4 = call(4)\nline 5 = call(5)\n~~~\n\nAfter.",
    ]);
  });

  it("of code with one long line are cut inside it as the last resort", () => {
    const pieces = texts(`\`\`\`\n${"word ".repeat(60)}\n\`\`\``, 30);
    expect(pieces.length).toBeGreaterThan(2);
    for (const piece of pieces) expect(piece).toMatch(/^```\n(?:word ?)+\n```$/);
    expect(pieces.join("").match(/word/g)).toHaveLength(60);
  });

  it("of code that the document never closes are closed", () => {
    expect(texts("```js\nlet a;\n")).toEqual(["```js\nlet a;\n```"]);
  });

  it("of code inside a quote or a list keep their marks when cut", () => {
    const code = Array.from({ length: 8 }, (_, index) => `let a${index} = ${index};`);
    for (const piece of texts(`> \`\`\`js\n${code.map((line) => `> ${line}\n`).join("")}> \`\`\``, 36)) {
      expect(piece).toMatch(/^> ```js\n(?:> let a\d = \d;\n)+> ```$/);
    }
    for (const piece of texts(`- \`\`\`js\n${code.map((line) => `  ${line}\n`).join("")}  \`\`\``, 36)) {
      expect(piece).toMatch(/^(?:- | {2})```js\n(?: {2}let a\d = \d;\n)+ {2}```$/);
    }
  });

  it("of code inside a list are not cut at their blank lines while there is another place", () => {
    const pieces = texts(`- Intro\n  \`\`\`\n  a\n\n  b\n  \`\`\`\n  ${"word ".repeat(40)}`, 30);
    expect(pieces.filter((piece) => piece.includes("```"))).toEqual([
      expect.stringContaining("```\n  a\n\n  b\n  ```"),
    ]);
  });

  it("of code end at a longer fence too", () => {
    const code = Array.from({ length: 8 }, (_, index) => `line ${index}`).join("\n");
    expect(texts(`\`\`\`\n${code}\n\`\`\`\`\`\n`, 21)).toEqual([
      "```\nline 0\nline 1\nline 2\nline 3\nline 4\nline 5\n```",
      "```\nline 6\nline 7\n`````",
    ]);
  });

  it("that are tables repeat their header", () => {
    const rows = Array.from({ length: 6 }, (_, index) => `| name${index} | value${index} |`).join("\n");
    const pieces = texts(`| a | b |\n| - | - |\n${rows}\n`, 40);
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) expect(piece).toMatch(/^\| a \| b \|\n\| - \| - \|\n(?:\| name\d \| value\d \|\n?)+$/);
    expect(pieces.join("").match(/name\d/g)).toEqual(["name0", "name1", "name2", "name3", "name4", "name5"]);
  });

  it("that are lists are cut between items", () => {
    const items = Array.from({ length: 6 }, (_, index) => `- item ${index}. It has\n  two lines.`);
    expect(texts(items.join("\n"), 28)).toEqual(
      [items.slice(0, 2), items.slice(2, 4), items.slice(4)].map((pair) => pair.join("\n")),
    );
  });

  it("that are paragraphs are cut between sentences", () => {
    expect(
      texts(
        "The first one, e.g. this. The second one is\nlonger than it! Is the third one? (Yes.) The fourth ends here.",
        24,
      ),
    ).toEqual([
      "The first one, e.g. this. The second one is\nlonger than it!",
      "Is the third one? (Yes.) The fourth ends here.",
    ]);
  });

  it("keep a heading with the first part of their body", () => {
    const code = Array.from({ length: 12 }, (_, index) => `let a${index} = ${index};`).join("\n");
    expect(texts(`## Example\n\n\`\`\`js\n${code}\n\`\`\``)[0]).toMatch(/^## Example\n\n```js\nlet a0 = 0;\n[^#]+```$/);
  });
});

describe("plain text", () => {
  it("is cut between paragraphs, then sentences, then lines, then words, then characters", () => {
    expect(plainTexts("One two three four.\nFive six seven.\n\nEight nine ten eleven.\n\nTwelve.", 15)).toEqual([
      "One two three four.\nFive six seven.",
      "Eight nine ten eleven.\n\nTwelve.",
    ]);
    expect(plainTexts("a b c d\ne f g h\ni j k l\nm n o p\n", 16)).toEqual(["a b c d\ne f g h\ni j k l", "m n o p"]);
    expect(plainTexts("word ".repeat(30), 16)).toEqual([14, 14, 2].map((count) => "word ".repeat(count).trim()));
    expect(plainTexts("x".repeat(200), 16).map((piece) => piece.length)).toEqual([80, 80, 40]);
  });

  it("is not read as Markdown", () => {
    expect(plainTexts("# one\n\n```\ntwo\n")).toEqual(["# one\n\n```\ntwo"]);
  });

  it("keeps indentation and loses blank lines at the ends", () => {
    expect(plainTexts("\n \n  a\n    b\n\n")).toEqual(["  a\n    b"]);
  });

  it("keeps marks with their letters unless one letter has more than fit", () => {
    for (const piece of plainTexts("e\u0301\u0302".repeat(40), 20)) expect(piece).toMatch(/^(?:e\u0301\u0302)+$/);
    for (const piece of plainTexts("\u{1F469}\u200d\u{1F680}".repeat(20), 20))
      expect(piece).toMatch(/^(?:\u{1F469}\u200d\u{1F680})+$/u);
    expect(plainTexts(`e${"\u0301".repeat(500)}`, 20).join("")).toBe(`e${"\u0301".repeat(500)}`);
  });

  it("ends sentences in Chinese and Japanese without blanks", () => {
    expect(plainTexts("\u5929\u6c14\u5f88\u597d\u3002".repeat(5), 16)).toEqual([
      "\u5929\u6c14\u5f88\u597d\u3002".repeat(2),
      "\u5929\u6c14\u5f88\u597d\u3002".repeat(2),
      "\u5929\u6c14\u5f88\u597d\u3002",
    ]);
  });
});

const oneTokenAWord = (text: string): number => text.split(/\s+/).filter((word) => word !== "").length;

describe("limits", () => {
  it("without room for text are refused", () => {
    expect(() => createChunker({ maxTokens: 9, countTokens })).toThrow(
      expect.objectContaining({ code: "EMB_CONFIG_INVALID" }),
    );
    expect(() => createChunker({ maxTokens: 20.5, countTokens })).toThrow(
      expect.objectContaining({ code: "EMB_CONFIG_INVALID" }),
    );
    expect(createChunker({ maxTokens: 10, countTokens }).id).toBe("chunks-1/10");
    expect(createChunker({ maxTokens: 10, countTokens, counter: "estimate" }).id).toBe("chunks-1/10/estimate");
  });

  it("hold for a tokenizer that takes a long word for one unknown token: length is bounded too", () => {
    const chunks = createChunker({ maxTokens: 20, countTokens: oneTokenAWord }).chunk({
      title: null,
      format: "text",
      text: "x".repeat(10_000),
    });
    expect(Math.max(...chunks.map((piece) => piece.text.length))).toBe(320);
  });
});

describe("a chunk does not depend on", () => {
  it("extensions that somebody gave to marked", () => {
    const text = "# A\n\n==x==\n\ny";
    const before = chunk(text);
    marked.use({
      extensions: [
        {
          name: "mine",
          level: "block",
          tokenizer: (source) => (source.startsWith("=") ? { type: "mine", raw: source } : undefined),
        },
      ],
    });
    expect(chunk(text)).toEqual(before);
  });
});

/**
 * Time is not asserted, the work is: characters counted by the tokenizer for each character of the document, whose counting takes the
 * most of it.
 */
describe("hostile text is chunked in linear work", () => {
  const million = 1_000_000;
  it.each<[string, string]>([
    ["one line of words", "word ".repeat(million / 5)],
    ["one word", "x".repeat(million)],
    ["one line of signs", "#".repeat(million)],
    ["blanks", " ".repeat(million)],
    ["empty lines", "\n".repeat(million)],
    ["headings", "# a\n".repeat(100_000)],
    ["one heading", `# ${"word ".repeat(million / 5)}`],
    ["quotes in quotes", `${">".repeat(100_000)} a\n`],
    ["lists in lists", Array.from({ length: 1000 }, (_, depth) => `${"  ".repeat(depth)}- a\n`).join("")],
    ["list signs", `${"- ".repeat(100_000)}a\n`],
    ["a fence of one line", `\`\`\`\n${"x ".repeat(million / 2)}\n\`\`\``],
    ["a fence that is never closed", `\`\`\`\n${"x\n".repeat(million / 2)}`],
    ["a fence whose first line never ends", `\`\`\`${"x ".repeat(million / 2)}\na\n\`\`\``],
    ["fences in a list", "- a\n\n  ```\n  b\n  ```\n".repeat(10_000)],
    ["a table of many rows", `| a | b |\n| - | - |\n${"| c | d |\n".repeat(50_000)}`],
    ["a table of one long row", `| a | b |\n| - | - |\n| ${"c ".repeat(100_000)} | d |\n`],
    ["a table with a long header", `| ${"a | ".repeat(2000)}\n| ${"- | ".repeat(2000)}\n| b |\n`],
    ["HTML", "<div>\n".repeat(100_000)],
    ["sentence ends", ". ".repeat(million / 2)],
    ["marks on one letter", `e${"\u0301".repeat(100_000)}`],
  ])("%s", (_what, text) => {
    let counted = 0;
    const chunker = createChunker({
      maxTokens: 200,
      countTokens(piece) {
        counted += piece.length;
        return countTokens(piece);
      },
    });
    const chunks = chunker.chunk({ title: null, format: "markdown", text });
    expect(counted).toBeLessThan(4 * text.length + 10_000);
    expect(Math.max(0, ...chunks.slice(0, 1000).map((piece) => countTokens(piece.embedText)))).toBeLessThanOrEqual(200);
  });
});

const line = (name: string, index: number): string => `${name} ${index} says so, e.g. here; and "there". `;

describe("the rules", () => {
  it("have not changed under the chunker's id: when this hash must change, raise RULES_VERSION", () => {
    const text = [
      "# Guide",
      Array.from({ length: 20 }, (_, index) => line("Sentence", index)).join(""),
      "## Code\n\n```js",
      Array.from({ length: 40 }, (_, index) => `const name${index} = call(${index});`).join("\n"),
      "```\n\n## Empty\n\n### Table\n\n| a | b |\n| - | - |",
      Array.from({ length: 30 }, (_, index) => `| cell ${index} | ${line("Value", index)}|`).join("\n"),
      "\n- one\n- two\n\n  more\n\n> a quote\n\n<div>\nHTML\n</div>\n",
      "word".repeat(400),
    ].join("\n");
    const chunks = [60, 100, 200].map((maxTokens) => chunk(text, maxTokens, "Title"));
    expect(createHash("sha256").update(JSON.stringify(chunks)).digest("hex").slice(0, 16)).toBe("be17b19e73c049d9");
  });
});

const POWERSHELL = new URL("../../../../shared/data/docs-powershell/reference", import.meta.url).pathname;

describe("real text", () => {
  it.skipIf(!existsSync(POWERSHELL))(
    "docs-powershell keeps every limit and every word (skipped where ../shared/data is absent)",
    () => {
      const chunker = createChunker({ maxTokens: 100, countTokens });
      for (const name of readdirSync(POWERSHELL, { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".md"))
        .filter((_, index) => index % 10 === 0)) {
        const text = readFileSync(`${POWERSHELL}/${name}`, "utf8").replaceAll("\r\n", "\n");
        const chunks = chunker.chunk({ title: null, format: "markdown", text });
        const words = new Set(chunks.flatMap((piece) => piece.text.split(/\s+/)));
        for (const word of text.trim().split(/\s+/))
          expect(word.length > 40 || words.has(word), `${name}: a word was cut or lost`).toBe(true);
        for (const piece of chunks) expect(countTokens(piece.embedText)).toBeLessThanOrEqual(100);
      }
    },
  );
});
