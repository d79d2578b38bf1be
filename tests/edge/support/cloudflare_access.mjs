// Cloudflare Access, as far as the console sees it: on loopback, the certs of the team, and a proxy before the endpoint that guards /console by a
// cookie and adds the header. Whoever has no cookie is sent to the team's own page, which is another origin, and signs in there by one click.
import { generateKeyPairSync } from "node:crypto";
import { createServer, request as send } from "node:http";
import { SignJWT } from "jose";

const TAG = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = { ...publicKey.export({ format: "jwk" }), kid: "signs", use: "sig", alg: "RS256" };

const listening = async (handler) => {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
};

/**
 * Answers { settings, stop, before }: the settings of a worker that trusts it. `seconds()` is how long what Access says holds, `email()` of whom it
 * says so. `before(origin)` puts the proxy before an endpoint and answers { url, forget }: `forget` ends the sessions of Access.
 */
export async function startAccess({ scopes, seconds = () => 600, email = () => "ada@example.com" }) {
  const team = await listening((request, reply) => {
    const { pathname, searchParams } = new URL(request.url, team.url);
    if (pathname === "/cdn-cgi/access/certs") return reply.setHeader("content-type", "application/json").end(JSON.stringify({ keys: [jwk] }));
    const back = new URL("/cdn-cgi/access/authorized", searchParams.get("app"));
    back.searchParams.set("redirect_url", searchParams.get("redirect_url"));
    reply.setHeader("content-type", "text/html").end(`<!doctype html><link rel="icon" href="data:,"><title>Access</title><a href="${back.href.replaceAll("&", "&amp;")}">Send me a code</a>`);
  });
  const servers = [team.server];
  const sign = () => new SignJWT({ email: email(), type: "app", identity_nonce: "x" })
    .setProtectedHeader({ alg: "RS256", kid: "signs", typ: "JWT" }).setIssuer(team.url).setAudience([TAG]).setSubject("7335d417").setIssuedAt().setNotBefore("0s").setExpirationTime(Math.floor(Date.now() / 1000) + seconds()).sign(privateKey);

  async function before(origin) {
    let known = "first";
    const proxy = await listening(async (request, reply) => {
      const { pathname, searchParams } = new URL(request.url, proxy.url);
      if (pathname === "/cdn-cgi/access/authorized") {
        reply.writeHead(302, { "set-cookie": `CF_Authorization=${known}; HttpOnly; Path=/`, location: searchParams.get("redirect_url") }).end();
        return;
      }
      if (pathname === "/cdn-cgi/access/logout") return reply.setHeader("set-cookie", "CF_Authorization=; Path=/; Max-Age=0").setHeader("content-type", "text/html").end(`<!doctype html><link rel="icon" href="data:,">You are signed out of Access`);
      const headers = { ...request.headers };
      delete headers["cf-access-jwt-assertion"];
      if (/^\/console(\/|$)/.test(pathname)) {
        if (!request.headers.cookie?.includes(`CF_Authorization=${known}`)) {
          const login = `${team.url}/cdn-cgi/access/login?app=${encodeURIComponent(proxy.url)}&redirect_url=${encodeURIComponent(request.url)}`;
          return reply.writeHead(302, { location: login }).end();
        }
        headers["cf-access-jwt-assertion"] = await sign();
      }
      const passed = send(`${origin}${request.url}`, { method: request.method, headers }, (answer) => {
        reply.writeHead(answer.statusCode, answer.headers);
        answer.pipe(reply);
      });
      passed.on("error", () => reply.destroy());
      request.pipe(passed);
    });
    servers.push(proxy.server);
    return { url: proxy.url, forget: () => (known = `another ${Math.random()}`.replace(/\W/g, "")) };
  }

  const stop = () => Promise.all(servers.map((server) => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve)))));
  return { before, stop, settings: { ACCESS_ISSUER: team.url, ACCESS_AUDIENCE: TAG, ACCESS_SCOPES: JSON.stringify(scopes) } };
}

/** Signs in at the team's page. */
export const letThrough = (page) => page.getByRole("link", { name: "Send me a code" }).click();
