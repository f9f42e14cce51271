import { describe, expect, it } from "vitest";
import { readMarkdownFile } from "./front-matter.js";

describe("front matter", () => {
  it("becomes metadata and title", () => {
    expect(readMarkdownFile("---\ntitle: Arrays\ntags: [a, b]\ndate: 2026-03-24\n---\n# Other\n\nText\n")).toEqual({
      title: "Arrays",
      metadata: { title: "Arrays", tags: ["a", "b"], date: "2026-03-24" },
      text: "# Other\n\nText\n",
    });
  });

  it.each([
    ["ended by dots", "---\na: 1\n...\ntext", { a: 1 }, "text"],
    ["empty", "---\n---\ntext", {}, "text"],
    ["alone", "---\na: 1\n---", { a: 1 }, ""],
    ["with blanks behind the lines", "--- \na: 1\n---\t\ntext", { a: 1 }, "text"],
  ])("%s is read", (_what, content, metadata, text) => {
    expect(readMarkdownFile(content)).toMatchObject({ metadata, text });
  });

  it.each([
    ["without an end", "---\na: 1\n"],
    ["that is no YAML", "---\na: [1\n---\ntext"],
    ["with a key twice", "---\na: 1\na: 2\n---\ntext"],
    ["that is a list", "---\n- a\n---\ntext"],
    ["that is words between two rules", "---\nSome words.\n---\ntext"],
    ["with a number that JSON lacks", "---\na: .nan\n---\ntext"],
    ["with a NUL character", '---\na: "\\0"\n---\ntext'],
    ["with half a surrogate pair", '---\na: "\\ud800"\n---\ntext'],
    [
      "with aliases without end",
      `---\na: &a [x, x]\n${"bcdefgh"
        .split("")
        .map((name, index) => `${name}: &${name} [${`*${"abcdefg"[index]}, `.repeat(20)}]`)
        .join("\n")}\n---\ntext`,
    ],
    ["not at the start", "\n---\na: 1\n---\ntext"],
  ])("%s stays in the text", (_what, content) => {
    expect(readMarkdownFile(content)).toEqual({ title: null, metadata: {}, text: content });
  });
});

describe("the title", () => {
  it.each([
    ["the first heading of the first level", "## Two\n\n# One\n\n# Another", "One"],
    ["without closing signs", "# One ##\n", "One"],
    ["not a comment in a code fence", "```sh\n# comment\n```\n\n# One", "One"],
    ["nor one in a longer fence", "````\n```\n# comment\n```\n````\n# One", "One"],
    ["the front matter's before it", "---\ntitle: 2026\n---\n# One", "2026"],
    ["the heading when the front matter's is blank", "---\ntitle: ' '\n---\n# One", "One"],
    ["none", "text\n#hashtag", null],
    ["none of an empty heading", "# \n\ntext", null],
    ["none of a heading that never ends", `# ${"x".repeat(301)}`, null],
  ])("is %s", (_what, content, title) => {
    expect(readMarkdownFile(content).title).toBe(title);
  });
});
