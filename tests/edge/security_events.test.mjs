// Security event tokens in workerd, as receivers of others take them: signatures by WebCrypto, checked by the npm package jose with the keys at their
// address, pushed (RFC 8935) and fetched (RFC 8936), while the keys follow each other.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { eventually } from "./support/eventually.mjs";
import { group, patch, user } from "./support/resources.mjs";
import { adminToken, bothWorkers, settings, startWorld } from "./support/world.mjs";

const PROV = "urn:ietf:params:scim:event:prov:";
const DAY_MS = 86_400_000;
let world;
let base;
before(async () => {
  world = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, LOCAL_DEVELOPMENT: "on" } }) });
  base = (await world.mf.ready).origin;
});
after(() => world?.stop());

/** A request over the network: what a stream says of its issuer is then an address that answers. */
async function ask(scim, method, path, body) {
  const headers = { authorization: `Bearer ${adminToken()}`, "content-type": "application/json" };
  const reply = await fetch(`${base}/api/v1/tenants/${scim.id}/event-streams${path}`, { method, headers, body: body && JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
}

async function stream(scim, given) {
  const reply = await ask(scim, "POST", "", { name: "product", ...given });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body.data;
}

/** Who takes tokens of a stream: the claims of one that holds, by what it was told when the stream was made. */
function verifier({ issuer, audience, jwks_uri: uri }) {
  const keys = createRemoteJWKSet(new URL(uri), { cooldownDuration: 0 });
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: "secevent+jwt", algorithms: ["ES256"], requiredClaims: ["jti", "txn", "sub_id", "events"] });
    assert.equal(payload.sub, undefined);
    return payload;
  };
}

/** A receiver of pushed tokens: refuses as RFC 8935 says what does not hold. */
async function startReceiver() {
  const got = [];
  const receiver = { got, verify: undefined, refuses: false };
  const server = createServer(async (request, response) => {
    const token = await text(request);
    const { "content-type": type, accept, authorization } = request.headers;
    try {
      assert.equal(type, "application/secevent+jwt");
      assert.equal(accept, "application/json");
      if (receiver.refuses) throw new Error("not now");
      got.push({ claims: await receiver.verify(token), kid: decodeProtectedHeader(token).kid, authorization });
      response.writeHead(202).end();
    } catch (error) {
      response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ err: "authentication_failed", description: error.message }));
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(receiver, { url: `http://127.0.0.1:${server.address().port}/`, stop: () => (server.closeAllConnections(), server.close()) });
}

const told = ({ events }) => Object.keys(events).map((uri) => uri.replace(PROV, ""));

describe("tokens that are pushed", () => {
  test("are verified by jose, in order, each once where all is well", async () => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    const made = await stream(scim, { kind: "set_push", url: receiver.url, authorization: "Bearer of-the-receiver", payload: "full" });
    assert.deepEqual([made.issuer, made.audience, made.secret], [base, receiver.url, null]);
    receiver.verify = verifier(made);
    const ada = (await scim.request("POST", "/Users", { body: { ...user("ada"), externalId: "e-1" } })).body;
    await scim.request("PATCH", `/Users/${ada.id}`, { body: patch({ op: "replace", path: "active", value: false }) });
    await scim.request("POST", "/Groups", { body: group("Analysts", [ada.id]) });
    await scim.request("DELETE", `/Users/${ada.id}`);
    await eventually(() => receiver.got.length === 5, "five tokens");
    assert.deepEqual(receiver.got.map(({ claims }) => told(claims)), [["create:full"], ["deactivate", "patch:full"], ["create:full"], ["patch:full"], ["delete"]]);
    const [{ claims, authorization }] = receiver.got;
    assert.equal(authorization, "Bearer of-the-receiver");
    assert.deepEqual(claims.sub_id, { format: "scim", uri: `/Users/${ada.id}`, externalId: "e-1" });
    assert.equal(claims.events[`${PROV}create:full`].data.userName, "ada");
    assert.equal(new Set(receiver.got.map(({ claims: { jti } }) => jti)).size, 5);
    const { body } = await ask(scim, "GET", `/${made.id}/deliveries`);
    assert.ok(body.data.every(({ status, reason }) => status === 202 && reason === null));
    assert.equal((await ask(scim, "POST", `/${made.id}/test`)).body.data.status, 400, "its receiver wants a txn");
    receiver.stop();
  });

  test("are told to be refused, and come again", async () => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    const made = await stream(scim, { kind: "set_push", url: receiver.url });
    receiver.verify = verifier(made);
    receiver.refuses = true;
    await scim.request("POST", "/Users", { body: user("ada") });
    const [line] = await eventually(async () => {
      const { data } = (await ask(scim, "GET", `/${made.id}/deliveries`)).body;
      return data.length > 0 && data;
    }, "a line");
    assert.deepEqual([line.status, line.reason], [400, "the receiver refuses it, authentication_failed: not now"]);
    receiver.refuses = false;
    assert.equal((await ask(scim, "POST", `/${made.id}/resume`)).status, 200);
    await eventually(() => receiver.got.length === 1, "the token");
    assert.equal(receiver.got[0].claims.jti, line.message_id);
    receiver.stop();
  });

  test("are verified on while the keys follow each other", async () => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    receiver.verify = verifier(await stream(scim, { kind: "set_push", url: receiver.url }));
    const next = async (name) => {
      const count = receiver.got.length;
      await scim.request("POST", "/Users", { body: user(name) });
      await eventually(() => receiver.got.length === count + 1, "a token");
      return receiver.got.at(-1).kid;
    };
    const published = async () => {
      const reply = await fetch(`${base}/.well-known/jwks.json`);
      assert.equal(reply.headers.get("cache-control"), "public, max-age=3600");
      const { keys } = await reply.json();
      for (const key of keys) assert.deepEqual(Object.keys(key).toSorted(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
      return keys.map(({ kid }) => kid);
    };
    const pass = (days) => world.rows("update signing_keys set signs_from = signs_from - ?", days * DAY_MS);
    const first = await next("first");
    assert.deepEqual(await published(), [first]);
    await pass(88.5);
    assert.equal(await world.tick(), "ok");
    const [, second] = await published();
    assert.ok(second);
    assert.equal(await next("before"), first, "it is published before it signs");
    await pass(3);
    assert.equal(await next("after"), second);
    await world.tick();
    assert.deepEqual(await published(), [first, second], "for those who have yet to check what it signed");
    await pass(9);
    await world.tick();
    assert.deepEqual(await published(), [second]);
    assert.equal(await next("last"), second);
    receiver.stop();
  });
});

describe("tokens that are fetched", () => {
  test("are verified by jose, given until they are acknowledged, and the reply waits for them", async () => {
    const scim = await world.tenant();
    const made = await stream(scim, { kind: "set_poll" });
    assert.equal(made.poll_url, `${base}/api/v1/tenants/${scim.id}/event-streams/${made.id}/poll`);
    assert.equal(made.audience, made.id);
    const verify = verifier(made);
    const poll = async (body) => {
      const headers = { authorization: `Bearer ${adminToken({ scope: "platform audit:read" })}`, "content-type": "application/json" };
      const reply = await fetch(made.poll_url, { method: "POST", headers, body: JSON.stringify(body) });
      assert.equal(reply.status, 200, await reply.clone().text());
      const { sets, moreAvailable } = await reply.json();
      for (const [jti, token] of Object.entries(sets)) assert.equal((await verify(token)).jti, jti);
      return { ids: Object.keys(sets), moreAvailable };
    };
    const waiting = poll({});
    for (const name of ["a", "b", "c"]) await scim.request("POST", "/Users", { body: user(name) });
    const { ids } = await waiting;
    assert.ok(ids.length >= 1);
    const { ids: all } = await poll({ returnImmediately: true });
    assert.equal(all.length, 3);
    assert.deepEqual(await poll({ ack: [all[1]], maxEvents: 1, returnImmediately: true }), { ids: [all[0]], moreAvailable: true });
    const refused = { [all[2]]: { err: "invalid_request", description: "not for us" } };
    assert.deepEqual(await poll({ setErrs: refused, returnImmediately: true }), { ids: [all[0]], moreAvailable: false });
    assert.deepEqual(await poll({ ack: [all[0]], returnImmediately: true }), { ids: [], moreAvailable: false });
    const { body } = await ask(scim, "GET", `/${made.id}/deliveries`);
    assert.equal(body.data[0].reason, "the receiver refuses it, invalid_request: not for us");
    assert.equal((await ask(scim, "GET", `/${made.id}`)).body.data.behind, 0);
  });

  test("a thousand, in how long", async (t) => {
    const scim = await world.tenant();
    const made = await stream(scim, { kind: "set_poll" });
    const Operations = Array.from({ length: 1_000 }, (_, index) => ({ method: "POST", path: "/Users", bulkId: `b${index}`, data: user(`u${index}`) }));
    await scim.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
    const begun = performance.now();
    const { body } = await ask(scim, "POST", `/${made.id}/poll`, { maxEvents: 1_000, returnImmediately: true });
    assert.equal(Object.keys(body.sets).length, 1_000);
    t.diagnostic(`1,000 tokens signed and fetched in ${Math.round(performance.now() - begun)} ms`);
  });
});

test("the configuration says which events there are", async () => {
  const scim = await world.tenant({ profile: "strict" });
  const { body } = await scim.request("GET", "/ServiceProviderConfig");
  const { eventUris } = body.securityEvents;
  assert.equal(eventUris.filter((uri) => uri.startsWith(PROV)).length, 9);
  assert.deepEqual(eventUris.filter((uri) => !uri.startsWith(PROV)), ["urn:ietf:params:scim:event:misc:asyncresp"]);
});
