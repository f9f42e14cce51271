import type { Page } from "playwright-core";
import { z } from "zod";

/** What a test asks a page that is shown. Run in the browser, where no type of ours is known: written as text, read through schemas. */

const Contrast = z.object({ looked: z.number(), low: z.array(z.string()) });

/** Texts that are shown with a contrast below `least` against the ground behind them (WCAG 2.2, 1.4.3). */
export const contrastBelow = async (page: Page, least: number): Promise<z.infer<typeof Contrast>> =>
  Contrast.parse(await page.evaluate(`(${CONTRAST})(${least})`));

const CONTRAST = `least => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = element => { const layers = []; for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor)); return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 1]); };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const low = []; let looked = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element.tagName === "title" || element.closest(".hidden") || !element.checkVisibility({ contentVisibilityAuto: true })) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const text = over(rgba(element.ownerSVGElement ? style.fill : style.color), below);
    const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    looked++;
    if (contrast < least) low.push(contrast.toFixed(2) + " " + element.className + " " + node.data.trim().slice(0, 40));
  }
  return { looked, low };
}`;

const Structure = z.object({
  headings: z.array(z.number()),
  unnamed: z.array(z.string()),
  doubleIds: z.array(z.string()),
  lang: z.string(),
  sideways: z.number(),
  pastBottom: z.boolean(),
  active: z.array(z.string()),
});

/** Headings' levels in order, what has a role but no name, ids that come twice, pixels that the page is wider than the window, and whatever could act. */
export const structureOf = async (page: Page): Promise<z.infer<typeof Structure>> =>
  Structure.parse(await page.evaluate(STRUCTURE));

const STRUCTURE = `(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const named = element => (element.getAttribute("aria-label") || (element.getAttribute("aria-labelledby") || "").split(" ").map(id => document.getElementById(id)?.textContent ?? "").join("")).trim();
  const ids = all("[id]").map(element => element.id);
  return {
    headings: all("h1,h2,h3,h4,h5,h6").map(element => Number(element.tagName[1])),
    unnamed: all("[role=img],[role=region],[role=table],nav,main>section").filter(element => !named(element)).map(element => element.outerHTML.slice(0, 60)),
    doubleIds: ids.filter((id, place) => ids.indexOf(id) !== place),
    lang: document.documentElement.lang,
    sideways: document.documentElement.scrollWidth - window.innerWidth,
    pastBottom: document.documentElement.scrollHeight > window.innerHeight,
    active: all("script,img,iframe,object,embed,form,base,link,input,[autofocus],[style]").map(element => element.outerHTML.slice(0, 60)).concat(all("*").flatMap(element => [...element.attributes].filter(({ name }) => name.startsWith("on")).map(({ name }) => name))),
  };
})()`;

const Stops = z.object({ expected: z.number(), reached: z.number(), unseen: z.array(z.string()) });

/** Presses Tab as often as there is something to reach: how much of it was reached, and what was reached without an outline. */
export async function tabThrough(page: Page): Promise<z.infer<typeof Stops>> {
  const expected = z
    .number()
    .parse(
      await page.evaluate(
        `(() => { window.stops = new Map(); return [...document.querySelectorAll("a[href],summary,[tabindex='0']")].filter(element => element.checkVisibility({ contentVisibilityAuto: true })).length; })()`,
      ),
    );
  for (let press = 0; press < expected; press++) {
    await page.keyboard.press("Tab");
    await page.evaluate(
      `(() => { const at = document.activeElement; if (at !== document.body) window.stops.set(at, getComputedStyle(at).outlineStyle !== "none"); })()`,
    );
  }
  const [reached, unseen] = z
    .tuple([z.number(), z.array(z.string())])
    .parse(
      await page.evaluate(
        `[window.stops.size, [...window.stops].filter(([, seen]) => !seen).map(([element]) => element.outerHTML.slice(0, 60))]`,
      ),
    );
  return { expected, reached, unseen };
}
