import { describe, expect, it } from "vitest";
import { exampleProject } from "./config-files-example.js";
import { loadSettings } from "./load-settings.js";
import { lockIn } from "./lock-in.js";

/** What a process of the environment reads from the new file. */
function read(text: string) {
  const files = exampleProject({ "/srv/app/config/production.yaml": text });
  const { baseline, active, manifest, query } = loadSettings({ env: { ENV: "production" }, cwd: "/srv/app", files });
  const addresses = [...manifest.profiles.values()].map(({ name, serviceUrl }) => [name, serviceUrl]);
  return { baseline, active: active?.name, port: query.port, addresses: Object.fromEntries(addresses) };
}

describe("locking a profile in", () => {
  it("changes one line, and keeps comments and everything else as it stands", () => {
    const before = [
      "# yaml-language-server: $schema=./schemas/environment.schema.json",
      "# Guarded.",
      "embedding:",
      "  profile: a # approved by the search team",
      "",
      "# behind the balancer",
      "query:",
      "  port: 9",
      "",
    ].join("\n");
    const { text, removed, added } = lockIn(before, { from: "a", to: "b" });
    expect(text).toBe(before.replace("profile: a", "profile: b"));
    expect({ removed, added }).toEqual({
      removed: ["  profile: a # approved by the search team"],
      added: ["  profile: b # approved by the search team"],
    });
    expect(read(text)).toMatchObject({ baseline: "b", active: "b", port: 9 });
  });

  it("changes nothing where the profile is the baseline by name", () => {
    const text = "embedding:   { profile: b }\n";
    expect(lockIn(text, { from: "b", to: "b" })).toEqual({ text, removed: [], added: [] });
  });

  it.each([
    ["names no profile", "embedding: { strict_mode: true }\n"],
    ["has an empty section", "embedding: {}\nquery: { port: 9 }\n"],
    ["has no such section", "query: { port: 9 } # kept\n"],
  ])("writes the profile into a file that %s", (_, before) => {
    expect(read(lockIn(before, { from: "a", to: "b" }).text)).toMatchObject({ baseline: "b", active: "b" });
  });

  it("keeps an address with the profile that it is the address of", () => {
    const before =
      'embedding:\n  profile: a\n  service_url: "https://a.test"\n  service_urls:\n    b: https://b.test # ours\n';
    const { text, removed, added } = lockIn(before, { from: "a", to: "b" });
    expect(read(text).addresses).toEqual({ a: "https://a.test", b: "https://b.test" });
    expect(text).toContain("# ours");
    expect(removed.slice(0, 2)).toEqual(["  profile: a", '  service_url: "https://a.test"']);
    expect(added[0]).toBe("  profile: b");
  });

  it("takes a file of comments alone, which has no section yet", () => {
    const { text } = lockIn("# nothing yet\n", { from: "a", to: "b" });
    expect(text).toContain("# nothing yet");
    expect(read(text).baseline).toBe("b");
  });
});
