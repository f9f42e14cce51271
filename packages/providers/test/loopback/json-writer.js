// @ts-check

const RAW = Symbol("raw");

/**
 * A token that stands in the document as it is, such as NaN, which no JSON writer would write.
 * @param {string} token
 */
export const raw = (token) => ({ [RAW]: token });

/**
 * @typedef {object} Style What is allowed in JSON and seldom seen.
 * @property {boolean | undefined} [whitespace] spaces, tabs and line ends wherever they may stand
 * @property {boolean | undefined} [reverseKeys] the last key first
 * @property {boolean | undefined} [extraFields] keys that no schema knows, some holding arrays of numbers and escaped text
 * @property {boolean | undefined} [exponents] 1.25e-2 for 0.0125
 * @property {boolean | undefined} [escapes] every character of a string as \uXXXX, base64 included
 */

/**
 * @param {unknown} document objects, arrays, Float32Arrays, scalars and what `raw` makes
 * @param {Style} [style]
 * @returns {string}
 */
export function writeJson(document, style = {}) {
  const space = style.whitespace ? " \r\n\t" : "";
  /** @param {number} value */
  const number = (value) => (style.exponents ? value.toExponential() : String(value));
  /** @param {string} text */
  const string = (text) =>
    style.escapes
      ? `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"`
      : JSON.stringify(text);
  /** @param {string[]} parts @param {string} open @param {string} close */
  const list = (parts, open, close) => `${open}${space}${parts.join(`${space},${space}`)}${space}${close}`;

  /** @param {unknown} node @returns {string} */
  const write = (node) => {
    if (node instanceof Float32Array) return list(Array.from(node, number), "[", "]");
    if (Array.isArray(node)) return list(node.map(write), "[", "]");
    if (typeof node === "object" && node !== null) {
      if (RAW in node) return String(node[RAW]);
      const entries = Object.entries(node).filter(([, child]) => child !== undefined);
      if (style.extraFields) entries.push(...UNKNOWN_FIELDS);
      if (style.reverseKeys) entries.reverse();
      return list(
        entries.map(([key, child]) => `${JSON.stringify(key)}${space}:${space}${write(child)}`),
        "{",
        "}",
      );
    }
    if (typeof node === "string") return string(node);
    return typeof node === "number" ? number(node) : JSON.stringify(node);
  };
  return `${space}${write(document)}${space}`;
}

const UNKNOWN_FIELDS = Object.entries({
  "x-note": 'a "quoted" \\ text with [brackets], {braces} and \u2028',
  "x-null": null,
  "x-numbers": [1, 2.5, -3e-7],
  "x-nested": { "x-empty": [], "x-text": "QUJDRA==" },
}).map(([key, value]) => /** @type {[string, unknown]} */ ([key, raw(JSON.stringify(value))]));
