// @ts-check
// Process of the loopback embedding services: a control port, and one port for each service that a test opens. It ends with
// the process that forked it.
import { createServer } from "node:http";
import { once } from "node:events";
import { openService, Script, ServiceSettings } from "./service.js";

/** @type {Map<string, Awaited<ReturnType<typeof openService>>>} by port */
const services = new Map();

/** @param {string} method @param {string} path @param {unknown} body @returns {Promise<unknown>} */
async function control(method, path, body) {
  if (method === "POST" && path === "/services") {
    const service = await openService(ServiceSettings.parse(body));
    services.set(String(service.port), service);
    return { port: service.port };
  }
  const [, , port = "", action] = path.split("/");
  const service = services.get(port);
  if (service === undefined) throw new Error(`no service on port ${port}`);
  if (method === "PUT" && action === "script") service.play(Script.parse(body));
  else if (method === "POST" && action === "forget") service.forget();
  else if (method === "GET") return service.report();
  else if (method === "DELETE") {
    services.delete(port);
    service.close();
  } else throw new Error(`${method} ${path}`);
  return {};
}

const server = createServer((request, response) => {
  void (async () => {
    try {
      const parts = [];
      for await (const part of request) parts.push(part);
      const text = Buffer.concat(parts).toString("utf8");
      const answer = await control(request.method ?? "", request.url ?? "", text === "" ? undefined : JSON.parse(text));
      response.end(JSON.stringify(answer));
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  })();
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.once("disconnect", () => process.exit());
process.send?.(server.address());
