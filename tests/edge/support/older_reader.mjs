// A relay before a SCIM endpoint for a client that knows no attribute of RFC 9967: its ServiceProviderConfig comes without `securityEvents`, and
// everything else as it is.
import { once } from "node:events";
import { createServer, request as send } from "node:http";

/** What `use` gives of the relay's URL, which stands in the place of `base`. */
export async function withoutSecurityEvents(base, use) {
  const { hostname, port, pathname } = new URL(base);
  const relay = createServer((asked, answer) => {
    // The host that was asked for stays, so that addresses in replies lead to the relay.
    const onward = send({ hostname, port, path: asked.url, method: asked.method, headers: asked.headers }, async (reply) => {
      const body = Buffer.concat(await reply.toArray());
      const { "transfer-encoding": _, ...headers } = reply.headers;
      const shown = asked.url.endsWith("/ServiceProviderConfig") ? without(body) : body;
      if (asked.method !== "HEAD" && reply.statusCode !== 204) headers["content-length"] = shown.length;
      answer.writeHead(reply.statusCode, headers).end(shown);
    });
    onward.on("error", (error) => answer.destroy(error));
    asked.pipe(onward);
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  try {
    return await use(`http://127.0.0.1:${relay.address().port}${pathname}`);
  } finally {
    relay.closeAllConnections();
    relay.close();
  }
}

function without(body) {
  const { securityEvents: _, ...configuration } = JSON.parse(body);
  return Buffer.from(JSON.stringify(configuration));
}
