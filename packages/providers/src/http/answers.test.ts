import { describe, expect, it } from "vitest";
import { profileOf } from "../profile.test-data.js";
import { openai } from "../services/openai.js";
import { readAnswer } from "./answers.js";
import { Failures } from "./failures.js";
import { BODY_PADDING, bodyBytes } from "./number-rows.js";
import { VectorRows } from "./vector-rows.js";

const DIMS = 32;
const base64 = (dims: number) => Buffer.from(new Float32Array(dims).fill(0.5).buffer).toString("base64");

describe("readAnswer", () => {
  it.each([
    ["base64 of other dims", base64(48), "a vector of 48 where a vector of 32 was expected"],
    ["numbers of other dims", Array.from({ length: 48 }, () => 0.5), "a list of 48 where a vector of 32 was expected"],
    ["a sentence", "no vector at all, ".repeat(8), "a text of 144 characters where a vector of 32 was expected"],
    ["a word", "overloaded", "a text of 10 characters where a vector of 32 was expected"],
  ])("says what stands where a vector should: %s", (_, embedding, seen) => {
    const json = JSON.stringify({ data: [{ index: 0, embedding }], model: "m" });
    const length = Buffer.byteLength(json);
    const body = bodyBytes(Buffer.concat([Buffer.from(json)], length + BODY_PADDING), length);
    const rows = new VectorRows(new Float32Array(DIMS), DIMS, 1);
    const failures = new Failures(profileOf({ dims: DIMS }), "host");
    expect(() => readAnswer(body, rows, openai.dense.answer, failures)).toThrow(`${seen} at "data.0.embedding"`);
  });
});
