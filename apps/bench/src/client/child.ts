import { CONTENDERS, Contender, type Vectors } from "./contenders.js";
import { DIMS, makeTexts, makeVector, vectorNumber, VECTORS } from "./texts.js";

/** Measures one contender: `child CONTENDER URL TEXTS`. Prints one line of JSON. */
const [name, address = "", count = ""] = process.argv.slice(2);
const texts = makeTexts(1_000_000, Number(count));
const embed = await CONTENDERS[Contender.parse(name)](new URL(address));
await embed(makeTexts(0, 4_000)); // the engine compiles what it will run

const cpuBefore = process.cpuUsage();
const start = performance.now();
const vectors = await embed(texts);
const seconds = (performance.now() - start) / 1_000;
const cpu = process.cpuUsage(cpuBefore);
const peakMib = process.resourceUsage().maxRSS / 1_024;
checkVectors(texts, vectors);
const rate = texts.length / seconds;
const cpuMicroseconds = (cpu.user + cpu.system) / texts.length;
process.stdout.write(`${JSON.stringify({ rate, cpu_us: cpuMicroseconds, peak_mib: peakMib })}\n`);

/** Every number of every vector: exact for float32 answers, and for doubles that were made from them. */
function checkVectors(given: readonly string[], seen: Vectors): void {
  const expected = Array.from({ length: VECTORS }, (_, number) => makeVector(number));
  for (const [row, text] of given.entries()) {
    const want = expected[vectorNumber(text)]!;
    const own = seen instanceof Float32Array ? seen.subarray(row * DIMS, (row + 1) * DIMS) : seen[row];
    if (own?.length !== DIMS) throw new Error(`text ${row}: ${own?.length} numbers`);
    for (let i = 0; i < DIMS; i++) if (own[i] !== want[i]) throw new Error(`text ${row}, number ${i}: ${own[i]}`);
  }
}
