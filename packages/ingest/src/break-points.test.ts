import { describe, expect, it } from "vitest";
import {
  characterBreak,
  codePointBreak,
  lineBreak,
  paragraphBreak,
  sentenceBreak,
  wordBreak,
  type BreakPoint,
} from "./break-points.js";

/** `|` shows where the last break is. */
const shown = (point: BreakPoint, text: string): string => {
  const at = point(text, text.length);
  return at === 0 ? "none" : `${text.slice(0, at)}|${text.slice(at)}`;
};

describe("a sentence ends", () => {
  it.each([
    ["behind a full stop and a blank", "One. Two", "One. |Two"],
    ["behind the last of several", "One. Two! Three? Four", "One. Two! Three? |Four"],
    ["behind a closing quote", 'He said "no." She left', 'He said "no." |She left'],
    ["behind a line end", "One.\nTwo", "One.\n|Two"],
    ["behind an ellipsis", "One\u2026 Two", "One\u2026 |Two"],
    ["not before a lower-case letter", "version no. two", "none"],
    ["not behind an initial", "e.g. Two and J. Smith", "none"],
    ["behind a number", "In 1999. Then", "In 1999. |Then"],
    ["not inside a number", "3.14 and a.b", "none"],
    ["behind a wide full stop", "\u4e00\u3002\u4e8c", "\u4e00\u3002|\u4e8c"],
    ["behind a wide full stop and its bracket", "\u4e00\u3002\u300d\u4e8c", "\u4e00\u3002\u300d|\u4e8c"],
    ["not at the end of what is seen", "One.", "none"],
  ])("%s", (_what, text, want) => expect(shown(sentenceBreak, text)).toBe(want));
});

describe("the other breaks", () => {
  it.each<[string, BreakPoint, string, string]>([
    ["a paragraph starts behind a blank line", paragraphBreak, "a\n\nb\n \nc\nd", "a\n\nb\n \n|c\nd"],
    ["in a quote too", paragraphBreak, "> a\n>\n> b", "> a\n>\n|> b"],
    ["no paragraph starts behind a line end", paragraphBreak, "a\nb", "none"],
    ["a line starts behind a line end", lineBreak, "a\nb\nc", "a\nb\n|c"],
    ["a word starts behind a blank", wordBreak, "a b\tc", "a b\t|c"],
    ["no word starts in one", wordBreak, "abc", "none"],
  ])("%s", (_what, point, text, want) => expect(shown(point, text)).toBe(want));
});

describe("a character is not cut from", () => {
  it.each([
    ["its other half", "a\u{1F600}b", 2, 1],
    ["its marks", "ae\u0301\u0302b", 3, 1],
    ["its variation selector", "a\u2764\ufe0fb", 2, 1],
    ["what it is joined to", "a\u{1F469}\u200d\u{1F680}b", 4, 1],
    ["its skin", "a\u{1F44D}\u{1F3FD}b", 3, 1],
    ["its vowel sign", "a\u0915\u093fb", 2, 1],
  ])("%s", (_what, text, before, want) => expect(characterBreak(text, before)).toBe(want));

  it("unless its marks are more than anybody writes", () => {
    const pile = `e${"\u0301".repeat(100)}`;
    expect(characterBreak(pile, 90)).toBe(0);
    expect(codePointBreak(pile, 90)).toBe(90);
  });
});
