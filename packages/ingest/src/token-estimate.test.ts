import { expect, it } from "vitest";
import { estimateTokens, estimateUpTo } from "./token-estimate.js";

it("counts a word as one token and its letters after the sixth as quarters, a sign as one, a blank as none", () => {
  const estimates = {
    "": 0,
    " \n\t": 0,
    word: 1,
    "two words": 2,
    letter: 1,
    letters: 1.25,
    considerations: 3, // 14 letters
    "f(x)=1;": 7,
    é: 0.5,
    naïve: 1.5, // a letter of another alphabet parts no word
    naïvelyso: 1.5 + 0.5, // eight letters of ASCII
    日本: 2,
  };
  for (const [text, tokens] of Object.entries(estimates)) expect([text, estimateTokens(text)]).toEqual([text, tokens]);
});

it("ends where the tokens are passed", () => {
  expect(estimateUpTo("one two three", 0, 13, 2)).toEqual({ end: 8, tokens: 3 });
  expect(estimateUpTo("one two three", 4, 13, 2)).toEqual({ end: 13, tokens: 2 });
  expect(estimateUpTo("one two three", 0, 5, 9)).toEqual({ end: 5, tokens: 2 });
});
