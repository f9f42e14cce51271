import { describe, expect, it } from "vitest";
import { consent, requireConsent, typedConsent } from "./consent.js";
import { recordOutput } from "./recorded-output.fixture.js";

const what = "retire drops vectors";
const required = { code: "EMB_CONSENT_REQUIRED" };

describe("consent", () => {
  it.each(["y", "YES", " yes "])("is given by %j", async (answer) => {
    const { output, notes } = recordOutput({ answer });
    await consent({ output }, { yes: false, what, question: "Fill it?" });
    expect(notes).toEqual(["Fill it? [y/N]"]);
  });

  it.each(["", "n", "yesterday"])("is not given by %j", async (answer) => {
    const { output } = recordOutput({ answer });
    await expect(consent({ output }, { yes: false, what, question: "Fill it?" })).rejects.toMatchObject(required);
  });

  it("is not asked for with --yes, and cannot be asked for in a pipe", async () => {
    const { output, notes } = recordOutput();
    await consent({ output }, { yes: true, what, question: "Fill it?" });
    await expect(consent({ output }, { yes: false, what, question: "Fill it?" })).rejects.toMatchObject({
      ...required,
      message: "retire drops vectors: expected --yes where nobody can be asked",
    });
    expect(notes).toEqual([]);
  });
});

describe("before anything is opened, consent", () => {
  const require = (interactive: boolean, yes: boolean) => () =>
    requireConsent({ output: { interactive } }, { yes, what });
  it("is refused in a pipe without --yes, and only there", () => {
    expect(require(false, false)).toThrow(expect.objectContaining(required));
    expect(require(false, true)).not.toThrow();
    expect(require(true, false)).not.toThrow();
  });
});

describe("the name itself", () => {
  const ask = (answer?: string) => {
    const { output } = recordOutput(answer === undefined ? {} : { answer });
    return typedConsent({ output }, { yes: false, what, question: "Type docs_old:", name: "docs_old" });
  };
  it("is consent", async () => {
    await expect(ask(" docs_old ")).resolves.toBeUndefined();
  });
  it.each(["y", "yes", "docs_new", ""])("is not %j", async (answer) => {
    await expect(ask(answer)).rejects.toMatchObject(required);
  });
  it("cannot be typed in a pipe", async () => {
    await expect(ask()).rejects.toMatchObject(required);
  });
});
