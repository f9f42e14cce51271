import { expect, it } from "vitest";
import { createWorlds } from "./worlds.js";

it("keeps a world until something goes wrong in it", async () => {
  const closed: number[] = [];
  let made = 0;
  const worlds = createWorlds(async () => {
    const number = ++made;
    return { number, close: async () => void closed.push(number) };
  });
  const numberIn = () => worlds.in(async ({ number }) => number);
  expect([await numberIn(), await numberIn(), closed]).toEqual([1, 1, []]);
  await expect(worlds.in(() => Promise.reject(new Error("a dead worker")))).rejects.toThrow("a dead worker");
  expect(closed).toEqual([1]);
  expect([await numberIn(), await numberIn()]).toEqual([2, 2]);
  await worlds.close();
  await worlds.close();
  expect(closed).toEqual([1, 2]);
});
