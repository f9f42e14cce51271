/** Index of the last of the ascending offsets that is at most `limit`; -1 when there is none. */
export function lastUpTo(offsets: readonly number[], limit: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((offsets[middle] ?? Infinity) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The first offset in [from, to) that is not blank, else `to`. */
export function firstVisible(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The end of the first code point in [from, to) that is not blank. */
export function afterFirstVisible(text: string, from: number, to: number): number {
  const at = firstVisible(text, from, to);
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}

/** Start of the first line from `from` on that is not blank; its indentation stays with it. `to` when there is none. */
export function firstVisibleLine(text: string, from: number, to: number): number {
  let line = from;
  let at = from;
  for (; at < to && isBlank(text.charCodeAt(at)); at++) if (text.charCodeAt(at) === 0x0a) line = at + 1;
  return at === to ? to : line;
}

/** The blanks of `\s` and of String.trim. */
function isBlank(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0xa0) return false;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}
