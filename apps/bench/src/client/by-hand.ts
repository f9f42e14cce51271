import { Pool } from "undici";
import { DIMS, MODEL } from "./texts.js";

export const BATCH = 96;
export const CONCURRENCY = 8;

/** Cuts texts into batches of 96 and has eight of them under way, as a careful user of a client without that would. */
export async function inBatches(
  texts: readonly string[],
  each: (batch: string[], start: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < texts.length) {
      const start = next;
      next += BATCH;
      await each(texts.slice(start, start + BATCH), start);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** The limit: no check of anything. Base64 is cut out of the body's bytes straight into the result; JSON is never parsed. */
export function limitByHand(url: URL) {
  const pool = new Pool(url.origin, { connections: CONCURRENCY });
  const path = `${url.pathname}/embeddings`;
  const headers = { "content-type": "application/json" };
  const free: Buffer[] = [];
  const post = (body: string): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      let whole = free.pop() ?? Buffer.alloc(0);
      let length = 0;
      pool.dispatch(
        { method: "POST", path, headers, body },
        {
          onRequestStart: () => {},
          onResponseStart: (_controller, _status, { "content-length": size }) => {
            if (whole.length < Number(size)) whole = Buffer.allocUnsafeSlow(Number(size));
          },
          onResponseData: (_controller, chunk) => {
            chunk.copy(whole, length);
            length += chunk.length;
          },
          onResponseEnd: () => resolve(whole),
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
  return async (texts: readonly string[]): Promise<Float32Array> => {
    const result = new Float32Array(texts.length * DIMS);
    const bytes = Buffer.from(result.buffer);
    await inBatches(texts, async (input, start) => {
      const body = await post(JSON.stringify({ model: MODEL, input, encoding_format: "base64" }));
      let at = 0;
      for (let row = start; row < start + input.length; row++) {
        const begin = body.indexOf(KEY, at) + KEY.length;
        at = body.indexOf(34, begin);
        bytes.write(body.toString("latin1", begin, at), row * DIMS * 4, "base64");
      }
      free.push(body);
    });
    return result;
  };
}
const KEY = '"embedding":"';

/** What one writes for a service without base64: undici and JSON.parse. */
export function jsonByHand(url: URL) {
  const pool = new Pool(url.origin, { connections: CONCURRENCY });
  return async (texts: readonly string[]): Promise<Float32Array> => {
    const result = new Float32Array(texts.length * DIMS);
    await inBatches(texts, async (input, start) => {
      const { body } = await pool.request({
        method: "POST",
        path: `${url.pathname}/embeddings`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: MODEL, input }),
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the hand-written code being measured checks nothing
      const { data } = JSON.parse(await body.text()) as { data: { embedding: number[] }[] };
      for (const [i, { embedding }] of data.entries()) result.set(embedding, (start + i) * DIMS);
    });
    return result;
  };
}
