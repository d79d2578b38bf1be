// A product's address for webhooks, on loopback.
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

/** Where deliveries go: keeps each as it came, and answers what `answer` says. */
export async function startReceiver(answer = () => ({ status: 204 })) {
  const got = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith("webhook-")));
    const one = { body, headers, path: request.url, at: performance.now(), json: JSON.parse(body) };
    got.push(one);
    const { status, wait = 0, headers: more = {}, body: reply = "" } = await answer(one, got.length);
    if (wait) await sleep(wait);
    if (status === null) return response.destroy();
    response.writeHead(status, more).end(reply);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { got, url: `http://127.0.0.1:${server.address().port}/`, stop: () => (server.closeAllConnections(), server.close()) };
}
