import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { createServerDriver } from "./server-driver.js";

/** A message of PostgreSQL's protocol, version 3: its letter, its length and its body. */
function message(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const AUTHENTICATED = message("R", Buffer.alloc(4));
const READY = message("Z", Buffer.from("I"));
const ENDED = message("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"));

/** A real server cannot be made to end a session within the packet that says it is ready, and a busy one does so now and then. */
it("a session that is ended as it is handed over fails its statement and no more", async () => {
  const server = createServer((socket) => {
    socket.once("data", () => socket.end(Buffer.concat([AUTHENTICATED, READY, ENDED])));
    socket.on("error", () => {}); // the other side may be gone
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    await expect(
      createServerDriver({ connectionString: `postgres://emb@127.0.0.1:${port}/emb` }),
    ).rejects.toMatchObject({
      code: "EMB_STORE_UNAVAILABLE",
    });
  } finally {
    server.close();
  }
});
