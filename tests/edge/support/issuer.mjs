// An issuer of administrators' tokens on loopback: the npm package oidc-provider, with a page to sign in at, and access tokens that are JWTs for
// Rollcall.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const AUDIENCE = "https://rollcall.example.com/api";
const jwk = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }), kid: "signs", use: "sig", alg: "RS256" };

/**
 * Answers { settings, stop }: the settings of a worker that trusts it. `origin()` is where the console is; people are granted `scope`, for so many
 * seconds.
 */
export async function startIssuer({ origin, scope = "admin", seconds = () => 600 }) {
  const server = createServer((request, reply) => server.answer(request, reply));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    jwks: { keys: [jwk] },
    clients: [{ client_id: "console", token_endpoint_auth_method: "none", redirect_uris: ["https://set.later.example/console"], grant_types: ["authorization_code"], response_types: ["code"] }],
    clientBasedCORS: () => true,
    cookies: { keys: ["of-a-test"] },
    scopes: ["openid", ...scope.split(" ")],
    ttl: { AccessToken: () => seconds(), Session: 3_600, Grant: 3_600, Interaction: 600, IdToken: 600 },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope, audience: AUDIENCE, accessTokenTTL: seconds(), accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
      },
    },
  });
  // Where the console is, is known once the worker runs, which knows its issuer before.
  provider.Client.prototype.redirectUriAllowed = (uri) => uri === `${origin()}/console`;
  server.answer = provider.callback();
  const { d, p, q, dp, dq, qi, ...key } = jwk;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, stop, settings: { JWT_ISSUER: url, JWT_AUDIENCE: AUDIENCE, JWT_JWKS: JSON.stringify({ keys: [key] }), CONSOLE_CLIENT_ID: "console", CONSOLE_SCOPE: `openid ${scope}` } };
}

/** Types a name and a password into the issuer's page, and agrees to what is asked. */
export async function signInAt(page, name) {
  await page.locator('input[name="login"]').fill(name);
  await page.locator('input[name="password"]').fill("any");
  await page.locator('button[type="submit"]').click();
  await page.getByRole("button", { name: /continue/i }).click();
}
