import { audit, readers, unsorted, type Breakage } from "./breakage.js";
import type { recordChecks } from "./record-checks.js";

export const brokenRecords: Record<keyof typeof recordChecks, Breakage> = {
  "a reader is listed from its first report until it leaves": readers(() => ({ leave: () => Promise.resolve() })),
  "a silent reader is not listed, and a sign of life brings it first": readers((own) => ({
    list: ({ base }) => own.list(base === undefined ? { withinMs: 60_000 } : { withinMs: 60_000, base }),
  })),
  "the first start with another profile is a cutover": readers((own) => ({
    recordServing: async (serving) => (await own.recordServing(serving)) ?? serving.profile,
  })),
  "what is appended is listed newest first and moves the head": audit((own) => ({
    list: async (limit) => unsorted(await own.list(limit)),
  })),
  "rows are listed by their action": audit((own) => ({ list: ({ limit }) => own.list({ limit }) })),
  "rows are read as they are stored, oldest first, and prove themselves": audit((own) => ({
    read: async (page) => (await own.read(page)).map((row) => ({ ...row, entry: `${row.entry} ` })),
  })),
  "a log that others append to meanwhile verifies as it was at one moment": audit((own) => ({
    // at two moments, and something is always appended between them
    async verify(expected) {
      const before = await own.head();
      await own.append({ action: "check", actor: "another", detail: {} });
      const seen = await own.verify(expected);
      return { ...seen, ok: seen.ok && seen.rows === before.rows };
    },
  })),
  "an untouched log verifies, with any head it ever had": audit((own) => ({
    verify: async (expected) => {
      const head = await own.verify();
      return expected === undefined || expected === head.head ? head : { ...head, ok: false, firstBad: 1 };
    },
  })),
  "a log without the expected head is cut off": audit((own) => ({ verify: () => own.verify() })),
  "concurrent appends make one chain": audit((own) => {
    let seen: ReturnType<typeof own.head> | undefined;
    return {
      append: async (entry) => {
        seen ??= own.head(); // read once, for everybody
        const { rows, head } = await seen;
        await own.append(entry);
        return { rows: rows + 1, head };
      },
    };
  }),
};
