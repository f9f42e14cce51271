import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ATTACKS } from "./attack-texts.fixture.js";
import { findChromium } from "./chromium.fixture.js";
import { contrastBelow, structureOf, tabThrough } from "./page-facts.fixture.js";
import { reportPage } from "./page.js";
import { reportContent } from "./report-content.fixture.js";

const executablePath = findChromium();
if (executablePath === null)
  process.stderr.write("skipped: the report in a browser (no Chromium on the PATH: apt-get install -y chromium)\n");

/** Screenshots are kept here; unset: they are taken and not kept. */
const kept = process.env["TEST_ARTIFACTS_DIR"];
const DESKTOP = { viewport: { width: 1200, height: 900 } };
const VIEWS = {
  light: { ...DESKTOP, colorScheme: "light" },
  dark: { ...DESKTOP, colorScheme: "dark" },
  phone: {
    viewport: { width: 360, height: 780 },
    deviceScaleFactor: 2,
    hasTouch: true,
    isMobile: true,
    colorScheme: "light",
  },
  "phone-dark": { viewport: { width: 360, height: 780 }, isMobile: true, colorScheme: "dark" },
} as const satisfies Record<string, BrowserContextOptions>;

describe.skipIf(executablePath === null)("the report in a browser", () => {
  let browser: Browser;
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "emb-report-"));
    if (kept !== undefined) await mkdir(kept, { recursive: true });
    browser = await chromium.launch({ executablePath: executablePath!, chromiumSandbox: process.getuid?.() !== 0 });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** Opens a page as a file, and says what it told the console and what it asked the network for. */
  async function open(
    name: string,
    markup: string,
    options: BrowserContextOptions,
  ): Promise<{ page: Page; told: string[]; asked: string[] }> {
    const file = join(dir, `${name}.html`);
    await writeFile(file, markup);
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const told: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => told.push(message.text()));
    page.on("pageerror", (error) => told.push(String(error)));
    page.on("dialog", (dialog) => {
      told.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("request", (request) => asked.push(request.url()));
    const url = pathToFileURL(file).href;
    await page.goto(url);
    await page.waitForLoadState("networkidle");
    return { page, told, asked: asked.filter((address) => address !== url) };
  }
  const keep = async (name: string, image: Buffer) => {
    expect(image.length).toBeGreaterThan(20_000); // an empty page is far smaller
    if (kept !== undefined) await writeFile(join(kept, name), image);
  };

  const go = reportPage(reportContent());
  it.each(Object.entries(VIEWS))(
    "%s: shown without an error, a request or a word too pale, and not wider than the window",
    async (name, view) => {
      const { page, told, asked } = await open(name, go, view);
      expect({ told, asked }).toEqual({ told: [], asked: [] });
      const { headings, sideways, ...structure } = await structureOf(page);
      expect(structure).toEqual({ unnamed: [], doubleIds: [], lang: "en", pastBottom: true, active: [] });
      expect(headings[0]).toBe(1);
      expect(headings.filter((level) => level === 1)).toHaveLength(1);
      expect(headings.every((level, place) => level <= (headings[place - 1] ?? 0) + 1)).toBe(true);
      expect(sideways).toBeLessThanOrEqual(0);
      const { looked, low } = await contrastBelow(page, 4.5);
      expect(low).toEqual([]);
      expect(looked).toBeGreaterThan(300);
      await keep(`report-${name}.png`, await page.screenshot({ fullPage: true }));
      await page.context().close();
    },
  );

  it.each([
    ["no-go", reportPage(reportContent({ gain: -0.1 }))],
    ["inconclusive", reportPage(reportContent({ gain: 0.003, queries: 60 }))],
    ["without-judgements", reportPage(reportContent({ judged: false, settings: { scoreCut: null } }))],
  ])("%s: in light and dark", async (name, markup) => {
    for (const view of ["light", "dark"] as const) {
      const { page, told, asked } = await open(name, markup, VIEWS[view]);
      expect({ told, asked }).toEqual({ told: [], asked: [] });
      expect((await contrastBelow(page, 4.5)).low).toEqual([]);
      await keep(`report-${name}-${view}.png`, await page.screenshot());
      await page.context().close();
    }
  });

  it("the keyboard reaches everything, each with an outline, and opens a query", async () => {
    const { page } = await open("keyboard", go, VIEWS.light);
    const { expected, reached, unseen } = await tabThrough(page);
    expect(expected).toBeGreaterThan(25);
    expect({ reached, unseen }).toEqual({ reached: expected, unseen: [] });
    const closed = page.locator("details.query:not([open])").first();
    const question = await closed.locator("summary").textContent();
    await closed.locator("summary").focus();
    await page.keyboard.press("Enter");
    const opened = page.locator("details.query[open]").filter({ hasText: question!.trim() }).first();
    expect(await opened.locator("ol").first().isVisible()).toBe(true);
    await page.context().close();
  });

  it("on paper it is light, and every query is open", async () => {
    const { page } = await open("paper", go, VIEWS.dark);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.setViewportSize({ width: 688, height: 1000 }); // A4 within margins of 14 mm, at 96 dpi
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(688);
    expect(await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")).toBe(
      "rgb(255, 255, 255)",
    );
    expect(await page.locator("details.query:not([open]) ol").last().isVisible()).toBe(true);
    expect(await page.locator("nav").isVisible()).toBe(false);
    expect((await contrastBelow(page, 4.5)).low).toEqual([]);
    const paper = await page.pdf({
      format: "A4",
      printBackground: true,
      margin: { top: "14mm", bottom: "14mm", left: "14mm", right: "14mm" },
    });
    await keep("report-print.pdf", paper);
    await page.context().close();
  });

  it("every attack at once stays text: nothing runs, nothing is asked for, and it can be read", async () => {
    const attack = ATTACKS.join(" ");
    const { page, told, asked } = await open("attack", reportPage(reportContent({ queries: 60, attack })), VIEWS.phone);
    expect({ told, asked }).toEqual({ told: [], asked: [] });
    const { active, sideways, doubleIds } = await structureOf(page);
    expect({ active, doubleIds }).toEqual({ active: [], doubleIds: [] });
    expect(sideways).toBeLessThanOrEqual(0);
    expect(await page.locator("h1").textContent()).toContain("<script>alert(1)</script>");
    expect(await page.title()).toContain("<script>alert(1)</script>");
    await keep("report-attack.png", await page.screenshot());
    await page.context().close();
  });
});
