// A directory from inside the runtime: its sockets, its TLS and its way of failing, by the test of a connection to a real server and to servers that
// misbehave.
import { certificate, missing as noAuthority } from "./support/authority.mjs";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { BASE, READER, freePort, missing as noServer, startSlapd } from "./support/slapd.mjs";
import { bothWorkers, settings, startWorld } from "./support/world.mjs";

const skip = noServer && `there is no LDAP server: ${noServer}`;
const skipTls = skip || (noAuthority && `there is no certificate: ${noAuthority}`);
/** For the longest wait that the worker allows itself, and some more. */
const BOUND_MS = 8_000;
const UNKNOWN = "its name is not known to DNS, or nothing listens on that port";

let world, tenant;
before(async () => {
  const bindings = { ...settings, LOCAL_DEVELOPMENT: "on" };
  world = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"], bindings }) });
  tenant = await world.createTenant();
});
after(() => world?.stop());

let providers = 0;
/** The test of a provider with this configuration: its checks as { name: message }, the failed one with a ✗ before its name. */
async function tested(config) {
  const created = await world.admin("POST", "/identity-providers/", {
    tenant_id: tenant.id,
    name: `directory ${(providers += 1)}`,
    provider_type: "LDAP",
    ldap_config: { ...READER, base_dn: BASE, user_filter: "(objectClass=inetOrgPerson)", group_filter: "(objectClass=groupOfNames)", ...config },
  });
  assert.equal(created.status, 201, created.text);
  const started = Date.now();
  const reply = await world.admin("POST", `/identity-providers/${created.body.data.id}/test`);
  assert.ok(Date.now() - started < BOUND_MS, `${Date.now() - started} ms`);
  assert.equal(reply.status, 200, reply.text);
  const { success, message, details } = reply.body.data;
  const failed = details.checks.filter(({ ok }) => !ok);
  assert.equal(success, failed.length === 0);
  assert.deepEqual(failed, failed.length ? [details.checks.at(-1)] : [], "a test ends with what failed");
  for (const check of failed) assert.equal(message, `${check.name}: ${check.message}`);
  for (const { duration_ms } of details.checks) assert.ok(duration_ms >= 0 && duration_ms < BOUND_MS);
  for (const text of [reply.text, world.output]) assert.ok(!text.includes(READER.bind_password), "the password is told");
  return Object.fromEntries(details.checks.map(({ name, ok, message }) => [ok ? name : `✗ ${name}`, message]));
}

/** The stage that failed and why. */
async function failure(config) {
  const [name, message] = Object.entries(await tested(config)).at(-1);
  assert.ok(name.startsWith("✗ "), `${name}: ${message}`);
  return [name.slice(2), message];
}

const FOUND = {
  bind: `bound as ${READER.bind_dn}`,
  "base DN": `${BASE} can be read`,
  "user filter": "the filter matches 13 entries; 1 part lies on another server and is left out",
  "group filter": "the filter matches 7 entries; 1 part lies on another server and is left out",
};
const PROTECTED = { connect: "the server answers", TLS: "the connection is protected, and the certificate holds" };

describe("a directory that is reached without TLS", { skip }, () => {
  let slapd;
  before(async () => (slapd = await startSlapd()));
  after(() => slapd?.stop());
  const plain = () => ({ url: `ldap://127.0.0.1:${slapd.port}` });

  test("is found, and all that is said crosses the network in the open", async () => {
    const open = "not asked for: the password and the directory cross the network in the open";
    assert.deepEqual(await tested(plain()), { connect: "the server answers", TLS: open, ...FOUND });
    assert.deepEqual(await tested({ url: `ldap://localhost:${slapd.port}` }), { connect: "the server answers", TLS: open, ...FOUND });
  });

  test("tells a wrong password, a base that is not there, a filter without matches", async () => {
    const wrong = "the bind failed: the bind DN or the password is wrong (49 invalidCredentials)";
    assert.deepEqual(await failure({ ...plain(), bind_password: "wrong" }), ["bind", wrong]);
    const nowhere = "the search failed: there is no entry of that DN, or the bind DN may not see it (32 noSuchObject)";
    assert.deepEqual(await failure({ ...plain(), base_dn: "ou=nowhere,dc=example,dc=com" }), ["base DN", nowhere]);
    assert.deepEqual(await failure({ ...plain(), user_filter: "(uid=nobody)" }), ["user filter", "the filter matches no entry below the base DN"]);
  });

  test("is not talked to in the open where StartTLS is wanted and not offered", async () => {
    const [name, message] = await failure({ ...plain(), start_tls: true });
    assert.equal(name, "TLS");
    assert.match(message, /^the StartTLS request failed: /);
  });

  test("is no TLS server: the handshake fails, and the reason says what may be behind it", async () => {
    const [name, message] = await failure({ url: `ldaps://localhost:${slapd.port}` });
    assert.equal(name, "TLS");
    assert.match(message, /this port does not speak TLS/);
  });
});

describe("a directory with a certificate", { skip: skipTls }, () => {
  let slapd;
  before(async () => (slapd = await startSlapd({ tls: certificate(["DNS:localhost", "IP:127.0.0.1"]) })));
  after(() => slapd?.stop());

  test("is reached by StartTLS", async () => {
    assert.deepEqual(await tested({ url: `ldap://localhost:${slapd.port}`, start_tls: true }), { ...PROTECTED, ...FOUND });
  });

  test("is reached by LDAPS", async () => {
    assert.deepEqual(await tested({ url: `ldaps://localhost:${slapd.tlsPort}` }), { ...PROTECTED, ...FOUND });
  });

  test("is reached many times at once: connections are given back", async () => {
    const url = `ldaps://localhost:${slapd.tlsPort}`;
    for (const all of await Promise.all(Array.from({ length: 12 }, () => tested({ url })))) assert.deepEqual(all, { ...PROTECTED, ...FOUND });
  });
});

for (const [what, names, options] of [
  ["of an authority that nobody knows", ["DNS:localhost", "IP:127.0.0.1"], { by: "stranger" }],
  ["with another host's name", ["DNS:ldap.example.com"], {}],
  ["that has expired", ["DNS:localhost", "IP:127.0.0.1"], { expired: true }],
]) {
  describe(`a directory with a certificate ${what}`, { skip: skipTls }, () => {
    let slapd;
    before(async () => (slapd = await startSlapd({ tls: certificate(names, options) })));
    after(() => slapd?.stop());

    for (const [how, config] of [
      ["LDAPS", () => ({ url: `ldaps://localhost:${slapd.tlsPort}` })],
      ["StartTLS", () => ({ url: `ldap://localhost:${slapd.port}`, start_tls: true })],
    ]) {
      test(`is not told the password by ${how}`, async () => {
        const [name, message] = await failure(config());
        assert.equal(name, "TLS");
        assert.match(message, /^TLS with localhost:\d+ failed: .*The certificate is not issued by a public authority, does not name this host, or has expired/);
      });
    }
  });
}

describe("a server that is none", { concurrency: true }, () => {
  test("because nobody listens there", async () => {
    const port = await freePort();
    for (const url of [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${port}`]) {
      const [name, message] = await failure({ url });
      assert.equal(name, "connect", message);
      assert.equal(message, `127.0.0.1:${port} cannot be reached: ${UNKNOWN}`);
    }
  });

  // `.invalid` is no name anywhere (RFC 6761). The runtime says the same of it as of a port where nobody listens.
  for (const [url, peer, config = {}] of [
    ["ldap://directory.acme.invalid", "directory.acme.invalid:389"],
    ["ldaps://directory.acme.invalid", "directory.acme.invalid:636"],
    ["ldap://directory.acme.invalid:3389", "directory.acme.invalid:3389", { start_tls: true }],
  ]) {
    test(`because DNS does not know its name: ${url}`, async () => {
      assert.deepEqual(await failure({ url, ...config }), ["connect", `${peer} cannot be reached: ${UNKNOWN}`]);
    });
  }

  for (const [what, answer, wanted] of [
    ["because it never answers", () => {}, /^HOST did not answer the bind within \d+ ms$/],
    ["because it closes at once", (socket) => socket.destroy(), /^HOST (closed the connection before it answered the bind|cannot be reached)/],
    ["because it closes when it is asked", (socket) => socket.once("data", () => socket.end()), /^HOST closed the connection before it answered the bind/],
    ["because it speaks HTTP", (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")), /^HOST does not speak LDAP as it should: it sent the byte 0x48 where a message begins/],
    ["because it promises four gigabytes", (socket) => socket.once("data", () => socket.write(Buffer.from([0x30, 0x84, 255, 255, 255, 255]))), /^HOST does not speak LDAP as it should: it sent a message of 4294967301 bytes/],
    ["because it sends a byte at a time", (socket) => trickle(socket), /^HOST did not answer the bind within \d+ ms$/],
  ]) {
    test(what, async () => {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        answer(socket);
        socket.resume(); // what is left unread would keep the connection open on this side
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address();
      try {
        const [, message] = await failure({ url: `ldap://127.0.0.1:${port}` });
        assert.match(message.replace(`127.0.0.1:${port}`, "HOST"), wanted);
      } finally {
        // It closes when the worker has let go of the last connection.
        server.close();
        await once(server, "close");
      }
    });
  }

  test("because it is in a private network, unless this is local development", async () => {
    const guarded = await startWorld();
    try {
      const { id } = await guarded.createTenant();
      const created = await guarded.admin("POST", "/identity-providers/", { tenant_id: id, name: "inside", provider_type: "LDAP", ldap_config: { url: "ldap://127.0.0.1:389", ...READER, base_dn: BASE, user_filter: "(uid=*)" } });
      assert.equal(created.status, 201, created.text);
      const { body } = await guarded.admin("POST", `/identity-providers/${created.body.data.id}/test`);
      assert.match(body.data.message, /^connect: 127\.0\.0\.1 is not allowed: /);
    } finally {
      await guarded.stop();
    }
  });
});

function trickle(socket) {
  socket.once("data", () => {
    const message = Buffer.concat([Buffer.from([0x30, 0x82, 0x10, 0x00]), Buffer.alloc(4096)]);
    let at = 0;
    const timer = setInterval(() => socket.write(message.subarray(at, (at += 1))), 50);
    socket.once("close", () => clearInterval(timer));
  });
}
