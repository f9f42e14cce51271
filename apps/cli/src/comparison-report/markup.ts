/** HTML that may stand in the page as it is. Made by the tag alone, so that a text cannot pass for it. */
export class Html {
  readonly #markup: string;
  private constructor(markup: string) {
    this.#markup = markup;
  }
  static of(strings: readonly string[], values: readonly Content[]): Html {
    return new Html(strings.map((string, place) => string + markupOf(values[place])).join(""));
  }
  toString(): string {
    return this.#markup;
  }
}

/** Lines of a template are indented for whoever reads the source. */
const withoutIndent = (string: string): string => string.replaceAll(/\s*\n\s*/g, "\n");

/** What may stand between the parts of a template. Null and undefined are nothing. */
export type Content = Html | string | number | null | undefined | readonly Content[];

/** HTML or SVG. Every value but Html is text and is escaped, in an element as in a quoted attribute: escaping cannot be forgotten. */
export const html = (strings: TemplateStringsArray, ...values: readonly Content[]): Html =>
  Html.of(strings.map(withoutIndent), values);

function markupOf(value: Content): string {
  if (value === null || value === undefined) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return value.map(markupOf).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** What no HTML file may hold (C0 and C1 controls but tab and line ends), and halves of surrogate pairs, become U+FFFD. */
const escapeText = (text: string): string =>
  text
    .replaceAll(/\p{Surrogate}/gu, "\uFFFD")
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    .replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]/g, "\uFFFD")
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
