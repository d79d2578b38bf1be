// OpenID providers on loopback: a real one, and one that misbehaves as a test wants it to.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import Provider from "oidc-provider";

const jwk = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });

async function listening(server, scheme = "http") {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `${scheme}://127.0.0.1:${server.address().port}`, stop };
}

/** The provider of the npm package oidc-provider, with a key of its own. Answers { url, stop }. */
export async function startOpenIdProvider() {
  const server = createServer((request, reply) => server.answer(request, reply));
  const { url, stop } = await listening(server);
  const provider = new Provider(url, {
    jwks: { keys: [{ ...jwk, kid: "signs", use: "sig", alg: "RS256" }] },
    clients: [{ client_id: "rollcall", client_secret: "a-client-secret", redirect_uris: ["https://rollcall.example.com/callback"] }],
    cookies: { keys: ["of-a-test"] },
    features: { devInteractions: { enabled: false } },
  });
  server.answer = provider.callback();
  return { url, stop };
}

/** A server whose every answer is `answer(request, reply)`, which may be set anew. `asked` are the paths asked for. With `tls`, over https. */
export async function startMisbehaving(tls) {
  const at = { asked: [], answer: (request, reply) => reply.end() };
  const handle = (request, reply) => {
    at.asked.push(request.url);
    at.answer(request, reply);
  };
  const server = tls ? createTlsServer(tls, handle) : createServer(handle);
  return Object.assign(at, await listening(server, tls ? "https" : "http"));
}

/** The metadata that a provider at `url` publishes. */
export const metadata = (url, more = {}) => ({
  issuer: url,
  authorization_endpoint: `${url}/auth`,
  token_endpoint: `${url}/token`,
  jwks_uri: `${url}/keys`,
  response_types_supported: ["code"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  ...more,
});

/** The public half of the key that the real provider signs with. */
export const publicKey = { kty: jwk.kty, n: jwk.n, e: jwk.e, kid: "signs", use: "sig" };
