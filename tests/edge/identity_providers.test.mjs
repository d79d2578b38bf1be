// Identity providers in workerd: their life over D1, and the test of their connection with the runtime's own fetch, against a real OpenID
// provider and one that misbehaves, both on loopback.
import { certificate as certificateFor, missing } from "./support/authority.mjs";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { metadata, publicKey, startMisbehaving, startOpenIdProvider } from "./support/openid_provider.mjs";
import { group, user } from "./support/resources.mjs";
import { adminToken, bothWorkers, settings, startWorld } from "./support/world.mjs";

const PROVIDERS = "/identity-providers";
const STAGES = ["URL", "reachable", "discovery document", "issuer", "endpoints", "JWKS"];
/** What the runtime itself says where a connection fails. */
const RUNTIMES_WORDS = /internal error|reference|Network connection lost|proxy request|specified address|kj\/|Error:/;
const certificate = readFileSync(inRoot("tests/fixtures/certificates/rsa_2048.pem"), "utf8");

const worldWith = (bindings) => startWorld({ workers: bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, ...bindings } }) });
let count = 0;

/** A new provider of a new tenant. */
async function provider(world, fields) {
  const tenant = await world.createTenant();
  const reply = await world.admin("POST", `${PROVIDERS}/`, { tenant_id: tenant.id, name: `Provider ${(count += 1)}`, ...fields });
  assert.equal(reply.status, 201, reply.text);
  return reply.body.data;
}

const openId = (world, issuer) => provider(world, { provider_type: "OIDC", oidc_config: { issuer, client_id: "rollcall", client_secret: "a-client-secret" } });

/** What the test of an OpenID provider says. */
async function tested(world, issuer) {
  const { id } = await openId(world, issuer);
  const reply = await world.admin("POST", `${PROVIDERS}/${id}/test`);
  assert.equal(reply.status, 200, reply.text);
  return reply.body.data;
}

describe("a provider over D1", () => {
  let world;
  before(async () => (world = await worldWith({})));
  after(() => world?.stop());

  test("is made, listed, changed, mapped and deleted, and its secret is nowhere", async () => {
    const { id, tenant_id: tenant } = await openId(world, "https://login.example.com");
    const path = `/api/v1/tenants/${tenant}/identity-providers/${id}`;
    const change = await world.admin("PATCH", `${PROVIDERS}/${id}`, { oidc_config: { client_secret: "another-secret" }, enabled: false });
    assert.equal(change.status, 200, change.text);
    assert.equal(change.body.data.oidc_config.has_client_secret, true);
    assert.equal(change.cost.trips, 2);
    const list = await world.admin("GET", `${PROVIDERS}/?tenant_id=${tenant}&search=provider`);
    assert.equal(list.body.pagination.total_items, 1);
    const scim = world.scim({ id: tenant }, (await world.mintToken({ id: tenant }, { idp_id: id })).token);
    const made = await scim.request("POST", "/Groups", { body: group("Sales") });
    assert.equal(made.status, 201, made.text);
    const auth = `Bearer ${adminToken()}`;
    const directory = await world.admin("POST", `${PROVIDERS}/`, {
      tenant_id: tenant,
      name: "Directory",
      provider_type: "LDAP",
      ldap_config: { url: "ldaps://ldap.example.com", bind_dn: "cn=reader", bind_password: "a-bind-password", base_dn: "dc=example" },
    });
    assert.equal(directory.status, 201, directory.text);
    const mappings = `/api/v1/tenants/${tenant}/identity-providers/${directory.body.data.id}/group-mappings`;
    const refused = await world.request("POST", `${path}/group-mappings`, { auth, body: { external_group_id: "g1", internal_group_id: made.body.id } });
    assert.equal(refused.status, 409, refused.text);
    const mapped = await world.request("POST", mappings, { auth, body: { external_group_id: "g1", internal_group_id: made.body.id } });
    assert.equal(mapped.status, 201, mapped.text);
    assert.equal(mapped.body.data.internal_group_name, "Sales");
    const again = await world.request("POST", mappings, { auth, body: { external_group_id: "g1", internal_group_id: made.body.id } });
    assert.equal(again.status, 409, again.text);
    const row = await world.row("select * from identity_providers where id = ?", id);
    assert.ok(!JSON.stringify(row).includes("another-secret"));
    assert.ok(row.secret && row.secret_key_id);
    assert.equal((await world.request("DELETE", path, { auth })).status, 204);
    assert.equal((await world.request("GET", path, { auth })).status, 404);
    assert.equal((await scim.request("GET", "/Users")).status, 401, "the provider's token outlived it");
    assert.equal((await world.admin("DELETE", `${PROVIDERS}/${directory.body.data.id}`)).status, 204);
    assert.equal((await world.row("select count(*) as n from group_mappings")).n, 0);
    assert.ok(!world.output.includes("secret"), world.output);
  });

  test("loses nothing of two changes at once", async () => {
    const { id } = await openId(world, "https://login.example.com");
    const path = `${PROVIDERS}/${id}`;
    const endpoints = ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"];
    const replies = await Promise.all(endpoints.map((name) => world.admin("PATCH", path, { oidc_config: { [name]: `https://login.example.com/${name}` } })));
    assert.deepEqual(replies.map(({ status }) => status), [200, 200, 200, 200]);
    const { oidc_config: config } = (await world.admin("GET", path)).body.data;
    for (const name of endpoints) assert.equal(config[name], `https://login.example.com/${name}`);
    assert.equal((await world.row("select revision from identity_providers where id = ?", id)).revision, 5);
  });

  test("has a name that only one of two made at once gets", async () => {
    const tenant = await world.createTenant();
    const body = { tenant_id: tenant.id, name: "Same", provider_type: "SAML", saml_config: { entity_id: "urn:x", sso_url: "https://idp.example.com/sso", certificate } };
    const replies = await Promise.all([1, 2, 3].map(() => world.admin("POST", `${PROVIDERS}/`, body)));
    assert.deepEqual(replies.map(({ status }) => status).sort(), [201, 409, 409]);
  });

  test("finds its own people by their numbers, which others may have too", async () => {
    const tenant = await world.createTenant();
    const clients = [];
    for (const name of ["Entra", "Okta"]) {
      const body = { tenant_id: tenant.id, name, provider_type: "OIDC", oidc_config: { issuer: "https://a.example.com", client_id: "x" } };
      const { id } = (await world.admin("POST", `${PROVIDERS}/`, body)).body.data;
      clients.push(world.scim(tenant, (await world.mintToken(tenant, { idp_id: id })).token));
    }
    for (const [index, client] of clients.entries()) {
      const made = await client.request("POST", "/Users", { body: user(`user${index}@example.com`, { externalId: "1" }) });
      assert.equal(made.status, 201, made.text);
    }
    for (const [index, client] of clients.entries()) {
      const again = await client.request("POST", "/Users", { body: user(`another${index}@example.com`, { externalId: "1" }) });
      assert.equal(again.status, 201, again.text);
      const found = await client.request("GET", `/Users?filter=${encodeURIComponent('externalId eq "1"')}`);
      assert.deepEqual(found.body.Resources.map(({ userName }) => userName).sort(), [`another${index}@example.com`, `user${index}@example.com`]);
    }
  });

  test("is tested without leave to reach this machine: a loopback address is refused", async () => {
    for (const issuer of ["http://127.0.0.1:1", "https://127.0.0.1", "https://[::1]", "https://2130706433", "https://0x7f.1", "https://localhost", "https://169.254.169.254"]) {
      const { success, message, details } = await tested(world, issuer);
      assert.equal(success, false, issuer);
      assert.match(message, /^URL: /, issuer);
      assert.equal(details.checks.length, 1);
    }
  });

  test("by SAML is judged by its certificate alone where its name is no address", async () => {
    const { id } = await provider(world, { provider_type: "SAML", saml_config: { entity_id: "urn:acme", sso_url: "https://idp.example.com/sso", certificate } });
    const { success, details } = (await world.admin("POST", `${PROVIDERS}/${id}/test`)).body.data;
    assert.equal(success, true, JSON.stringify(details));
    assert.deepEqual(details.checks.map(({ name }) => name), ["certificate", "validity", "key", "SSO URL", "metadata"]);
  });
});

describe("the test of an OpenID provider", () => {
  let world, real, bad;
  before(async () => {
    world = await worldWith({ LOCAL_DEVELOPMENT: "on" });
    real = await startOpenIdProvider();
    bad = await startMisbehaving();
  });
  after(async () => {
    await Promise.all([world?.stop(), real?.stop(), bad?.stop()]);
  });

  test("passes every stage with a real one", async () => {
    const { success, message, details } = await tested(world, real.url);
    assert.equal(success, true, JSON.stringify(details));
    assert.equal(message, "all 6 checks passed");
    assert.deepEqual(details.checks.map(({ name, ok }) => [name, ok]), STAGES.map((name) => [name, true]));
    for (const { duration_ms: duration } of details.checks) assert.ok(Number.isInteger(duration) && duration >= 0);
    assert.match(details.checks[5].message, /^1 key can verify/);
  });

  const json = (reply, document) => reply.setHeader("content-type", "application/json").end(JSON.stringify(document));
  /** Serves metadata, and a good key set unless told otherwise. */
  const publish = (more = {}, keys = { keys: [publicKey] }) => (request, reply) =>
    request.url === "/keys" ? json(reply, keys) : json(reply, metadata(bad.url, more));

  const cases = [
    ["another issuer", () => publish({ issuer: "https://evil.example" }), "issuer", /calls itself https:\/\/evil\.example, the configuration says http:/],
    ["a redirect", () => (_, reply) => reply.writeHead(302, { location: "http://169.254.169.254/" }).end(), "reachable", /302, a redirect to http:\/\/169\.254\.169\.254\/; redirects are not followed/],
    ["a web page", () => (_, reply) => reply.end("<!DOCTYPE html><html></html>"), "discovery document", /not JSON but a web page/],
    ["no JSON", () => (_, reply) => reply.end("hello"), "discovery document", /not JSON/],
    ["a failure", () => (_, reply) => reply.writeHead(500).end("{}"), "reachable", /the answer is 500 \(the server failed/],
    ["nothing there", () => (_, reply) => reply.writeHead(404).end(), "reachable", /the answer is 404 \(is the address right\?\)/],
    ["a wall", () => (_, reply) => reply.writeHead(403).end(), "reachable", /403 \(the document has to be public/],
    ["a huge document", () => (_, reply) => reply.end("x".repeat(3 * 1024 * 1024)), "reachable", /longer than 1048576 bytes/],
    ["an endless one", () => endless, "reachable", /longer than 1048576 bytes/],
    ["one that never begins", () => () => {}, "reachable", /no answer within 5000 ms/],
    ["one that never ends", () => (_, reply) => drip(reply), "reachable", /no answer within 5000 ms/],
    ["one that breaks off", () => (_, reply) => reply.writeHead(200, { "content-length": "1000" }).write("{", () => reply.destroy()), "reachable", /broke off|cannot be reached/],
    ["a closed connection", () => (_, reply) => reply.destroy(), "reachable", /cannot be reached/],
    ["an endpoint without TLS", () => publish({ token_endpoint: "http://login.example.com/token" }), "endpoints", /token_endpoint: .*begin with https/],
    ["an endpoint inside", () => publish({ jwks_uri: "https://10.1.2.3/keys" }), "endpoints", /jwks_uri: 10\.1\.2\.3 is not allowed/],
    ["no keys", () => publish({}, { keys: [] }), "JWKS", /no usable key/],
    ["a key that only encrypts", () => publish({}, { keys: [{ ...publicKey, use: "enc" }] }), "JWKS", /no usable key/],
    ["keys that are none", () => publish({}, "hello"), "JWKS", /not a JWKS/],
  ];
  const endless = (_, reply) => {
    const more = () => reply.destroyed || reply.write("x".repeat(64 * 1024), more);
    more();
  };
  const drip = (reply) => {
    reply.write("{");
    const timer = setInterval(() => reply.write(" "), 200);
    reply.on("close", () => clearInterval(timer));
  };
  for (const [what, answer, stage, message] of cases) {
    test(`tells of ${what}`, async () => {
      bad.asked = [];
      bad.answer = answer();
      const { success, message: summary, details } = await tested(world, bad.url);
      assert.equal(success, false);
      const last = details.checks.at(-1);
      assert.equal(last.name, stage, JSON.stringify(details));
      assert.equal(last.ok, false);
      assert.match(last.message, message);
      assert.equal(summary, `${stage}: ${last.message}`);
      assert.deepEqual(details.checks.map(({ name }) => name), STAGES.slice(0, STAGES.indexOf(stage) + 1));
      const allowed = ["/.well-known/openid-configuration", "/keys"];
      assert.ok(bad.asked.every((path) => allowed.includes(path)), String(bad.asked));
    });
  }

  test("tells where nothing listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    await once(server, "close");
    const { message } = await tested(world, `http://127.0.0.1:${port}`);
    assert.match(message, /^reachable: .*cannot be reached: .*does the server listen there/);
    assert.doesNotMatch(message, RUNTIMES_WORDS);
  });

  // `.invalid` is no name anywhere (RFC 6761). The runtime says `internal error` and a reference of its own.
  for (const issuer of ["https://login.acme.invalid", "https://login.acme.invalid:8443/realms/x/"]) {
    test(`tells of a name that DNS does not know: ${issuer}`, async () => {
      const { success, message } = await tested(world, issuer);
      assert.equal(success, false);
      assert.match(message, /^reachable: .*cannot be reached: .*its name is not known to DNS.*is the name right/);
      assert.doesNotMatch(message, RUNTIMES_WORDS);
    });
  }

  const tls = (...of) => {
    const { certificate, key } = certificateFor(...of);
    return { cert: readFileSync(certificate), key: readFileSync(key) };
  };

  for (const [what, of] of [
    ["that nobody vouches for", [["IP:127.0.0.1"], { by: "stranger" }]],
    ["of another name", [["DNS:else.example.com"]]],
    ["that has expired", [["IP:127.0.0.1"], { expired: true }]],
  ]) {
    test(`tells of a certificate ${what}`, { skip: missing }, async () => {
      const secured = await startMisbehaving(tls(...of));
      try {
        secured.answer = (_, reply) => json(reply, metadata(secured.url));
        const { message } = await tested(world, secured.url);
        assert.match(message, /^reachable: .*cannot be reached: .*TLS failed.*is its certificate valid/);
        assert.doesNotMatch(message, RUNTIMES_WORDS);
        assert.deepEqual(secured.asked, []);
      } finally {
        await secured.stop();
      }
    });
  }

  test("passes every stage over TLS", { skip: missing }, async () => {
    const secured = await startMisbehaving(tls(["IP:127.0.0.1"]));
    try {
      secured.answer = (request, reply) => json(reply, request.url === "/keys" ? { keys: [publicKey] } : metadata(secured.url));
      const { success, details } = await tested(world, secured.url);
      assert.equal(success, true, JSON.stringify(details));
    } finally {
      await secured.stop();
    }
  });
});
