// Administrators' JWTs, with signatures checked inside the built wasm: each algorithm from a static JWKS, and a JWKS fetched with the
// runtime's own fetch from a server on loopback.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { adminToken, bothWorkers, settings, startWorld } from "./support/world.mjs";

const keys = {
  EdDSA: generateKeyPairSync("ed25519"),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
const stranger = generateKeyPairSync("ed25519");
const jwk = (alg, { publicKey }, more = {}) => ({ ...publicKey.export({ format: "jwk" }), kid: `key-${alg}`, alg, use: "sig", ...more });
const jwks = { keys: [...Object.entries(keys).map(([alg, pair]) => jwk(alg, pair)), jwk("RS256", weak, { kid: "weak" }), { kty: "oct", kid: "shared", k: "c2VjcmV0" }] };

/** A JWT that the key of `alg` signed, for an administrator of the platform. */
function jwt(alg, { pair = keys[alg], header = {}, ...claims } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const all = { iss: settings.JWT_ISSUER, aud: settings.JWT_AUDIENCE, sub: "someone", exp: now + 600, scope: "admin", ...claims };
  const signed = `${part({ alg, typ: "JWT", kid: `key-${alg}`, ...header })}.${part(all)}`;
  const signature = sign(alg === "EdDSA" ? null : "sha256", Buffer.from(signed), { key: pair.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

const worldWith = (bindings) => startWorld({ workers: bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, ...bindings } }) });
const ask = (world, token) => world.request("GET", "/api/v1/admin/tenants/", { auth: `Bearer ${token}` });

describe("a static JWKS", () => {
  let world;
  // The local secret is set too, and must count for nothing.
  before(async () => (world = await worldWith({ JWT_JWKS: JSON.stringify(jwks) })));
  after(() => world?.stop());

  for (const alg of Object.keys(keys)) {
    test(`verifies ${alg}, and refuses it with anything changed`, async () => {
      assert.equal((await ask(world, jwt(alg))).status, 200);
      const token = jwt(alg);
      const [header, claims, signature] = token.split(".");
      const forged = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), sub: "another" })).toString("base64url");
      const flipped = Buffer.from(signature, "base64url");
      flipped[10] ^= 1;
      for (const wrong of [
        `${header}.${forged}.${signature}`,
        `${header}.${claims}.${flipped.toString("base64url")}`,
        `${header}.${claims}.`,
        `${header}.${claims}`,
        jwt(alg, { header: { kid: "key-nobody" } }),
        jwt(alg, { header: { kid: undefined } }),
        jwt(alg, { header: { alg: "none" } }),
        jwt(alg, { header: { alg: "HS256" } }),
        jwt(alg, { header: { crit: ["x"], x: 1 } }),
        jwt(alg, { exp: Math.floor(Date.now() / 1000) - 61 }),
        jwt(alg, { exp: undefined }),
        jwt(alg, { nbf: Math.floor(Date.now() / 1000) + 90 }),
        jwt(alg, { iss: "https://else.example.com" }),
        jwt(alg, { aud: ["another"] }),
      ]) {
        const reply = await ask(world, wrong);
        assert.equal(reply.status, 401, wrong);
        assert.equal(reply.cost.trips, 0);
      }
    });
  }

  test("refuses other keys: a stranger's, one too weak, another's name, and shared secrets", async () => {
    for (const wrong of [
      jwt("EdDSA", { pair: stranger }),
      jwt("RS256", { pair: weak }),
      jwt("RS256", { pair: weak, header: { kid: "weak" } }),
      jwt("ES256", { header: { kid: "key-EdDSA" } }),
      adminToken(),
      adminToken({ header: { kid: "shared" }, secret: "secret" }),
      adminToken({ header: { kid: "key-RS256" }, secret: keys.RS256.publicKey.export({ format: "pem", type: "spki" }) }),
    ]) {
      assert.equal((await ask(world, wrong)).status, 401, wrong);
    }
  });

  test("lets an administrator of one tenant see that tenant alone", async () => {
    const create = await world.request("POST", "/api/v1/admin/tenants/", { auth: `Bearer ${jwt("ES256")}`, body: { name: "Mine" } });
    assert.equal(create.status, 201, create.text);
    await world.request("POST", "/api/v1/admin/tenants/", { auth: `Bearer ${jwt("ES256")}`, body: { name: "Theirs" } });
    const list = await ask(world, jwt("ES256", { tenant_id: create.body.data.id }));
    assert.deepEqual(list.body.data.map(({ name }) => name), ["Mine"]);
  });
});

describe("a JWKS at an address", () => {
  let server, world, asked, answer;
  before(async () => {
    server = createServer((request, reply) => {
      asked.push(request.url);
      answer(reply);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(() => server?.close());

  /** A worker of its own, which remembers nothing. */
  async function fetching(how, work) {
    asked = [];
    answer = how;
    world = await worldWith({ JWT_JWKS_URL: `http://127.0.0.1:${server.address().port}/keys` });
    try {
      await work();
    } finally {
      await world.stop();
    }
  }
  const serve = (reply) => reply.setHeader("content-type", "application/json").end(JSON.stringify(jwks));

  test("is fetched once, however many ask after, and a name that it lacks does not make it be fetched at will", async () => {
    await fetching(serve, async () => {
      for (const alg of Object.keys(keys)) assert.equal((await ask(world, jwt(alg))).status, 200);
      for (let index = 0; index < 5; index += 1) assert.equal((await ask(world, jwt("EdDSA", { header: { kid: `unknown-${index}` } }))).status, 401);
      assert.equal((await ask(world, adminToken())).status, 401, "the local secret counts for nothing");
      assert.deepEqual(asked, ["/keys"]);
    });
  });

  for (const [what, how] of [
    ["answers 500", (reply) => reply.writeHead(500).end(JSON.stringify(jwks))],
    ["leads elsewhere", (reply) => reply.writeHead(302, { location: "/elsewhere" }).end()],
    ["answers no JSON", (reply) => reply.end("<html>")],
    ["answers without end", (reply) => reply.end(" ".repeat(300 * 1024) + JSON.stringify(jwks))],
    ["breaks off", (reply) => reply.destroy()],
  ]) {
    test(`that ${what} is 503 for now, with a time to come back, and works once it is well`, async () => {
      await fetching(how, async () => {
        const away = await ask(world, jwt("EdDSA"));
        assert.equal(away.status, 503);
        assert.ok(!asked.includes("/elsewhere"), "a redirect was followed");
        answer = serve;
        // Not before the time that was told: until then nobody is asked again.
        await sleep(Number(away.headers["retry-after"]) * 1_000 + 50);
        assert.equal((await ask(world, jwt("EdDSA"))).status, 200);
      });
    });
  }
});
