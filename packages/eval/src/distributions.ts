/** Probability that a standard normal number is below x. Source: Marsaglia, "Evaluating the Normal Distribution", J. Stat. Software 11(4), 2004. */
export function normalCdf(x: number): number {
  if (x < -8) return 0;
  if (x > 8) return 1;
  let term = x;
  let sum = x;
  for (let i = 3, before = 0; sum !== before; i += 2) {
    before = sum;
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The x with `normalCdf(x) = p`, for p between 0 and 1; below 1e-15 and above 1 - 1e-15 the ends. */
export const normalQuantile = (p: number): number => invert(normalCdf, p, 8);

/** Probability that Student's t of `df` degrees of freedom is above t. Source: Abramowitz and Stegun, 26.7.3 and 26.7.4. */
export function studentTail(t: number, df: number): number {
  const angle = Math.atan(t / Math.sqrt(df));
  const cosine2 = Math.cos(angle) ** 2;
  const odd = df % 2 === 1;
  let term = odd ? Math.cos(angle) : 1;
  let sum = odd && df === 1 ? 0 : term;
  for (let j = odd ? 2 : 1; j <= df - 3 + (odd ? 0 : 1) && term > 1e-18; j += 2) {
    term *= (j / (j + 1)) * cosine2;
    sum += term;
  }
  const within = odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return Math.max(0, (1 - within) / 2);
}

/** The t that `studentTail` passes with probability `tail`. */
export const studentQuantile = (tail: number, df: number): number =>
  invert((t) => 1 - studentTail(t, df), 1 - tail, 1e6);

/** By halving -reach to reach until two numbers stand side by side: the same on every machine. */
function invert(cdf: (x: number) => number, p: number, reach: number): number {
  let low = -reach;
  let high = reach;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < p) low = middle;
    else high = middle;
  }
  return high;
}
