// HTTP as the runtime really hands it over: methods, paths with and without their slash, percent-encoding, HEAD, conditional requests, content
// types. Every reply has also passed reply.mjs, which holds each to the dialect of its route.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { eventually } from "./support/eventually.mjs";
import { USER, patch, rename, user } from "./support/resources.mjs";
import { adminToken, startWorld } from "./support/world.mjs";

let world, scim, id, tokenId;
before(async () => {
  world = await startWorld();
  const tenant = await world.createTenant();
  const minted = await world.mintToken(tenant);
  tokenId = minted.id;
  scim = world.scim(tenant, minted.token);
  const made = await scim.request("POST", "/Users", { body: user("someone@example.com") });
  assert.equal(made.status, 201, made.text);
  id = made.body.id;
});
after(() => world?.stop());

/** A reply's body without what differs from one request to the next. */
const lasting = ({ status, body }) => [status, body && "data" in body ? { ...body, meta: null } : body];

describe("methods and paths", () => {
  test("that are not there are 404, in the dialect of where they would be", async () => {
    for (const path of ["/Nothing", "/Users/a/b", "/users", "/Me/x", "", "/Schemas/urn:no:such:schema", "/ResourceTypes/Role"]) {
      for (const base of ["tenant", "token"]) {
        const reply = await scim.request("GET", path, { base });
        // The base itself is a search over all resource types, which may come later.
        assert.ok(reply.status === 404 || (path === "" && reply.status === 200), `${path}: ${reply.status} ${reply.text}`);
      }
    }
    for (const path of ["/", "/nothing", "/api/v1/admin/nothing", "/api/v1/tenants/x", "/api/v1/tenants/x/scim", "/api/v1/tenants/x/scim/v3/Users", "/scim", "/scim/v22/Users", "/%", "/%ff"]) {
      assert.equal((await world.request("GET", path)).status, 404, path);
    }
  });

  test("that do not go together are 405 and name what does", async () => {
    const allowed = async (request, allow) => {
      const reply = await request;
      assert.equal(reply.status, 405, reply.text);
      const named = reply.headers.allow.split(", ").filter((method) => method !== "HEAD" && method !== "OPTIONS");
      assert.deepEqual(named.sort(), allow.sort());
    };
    await allowed(scim.request("PUT", "/Users", { body: {} }), ["GET", "POST"]);
    await allowed(scim.request("DELETE", "/Groups/"), ["GET", "POST"]);
    await allowed(scim.request("POST", `/Users/${id}`, { body: {} }), ["DELETE", "GET", "PATCH", "PUT"]);
    await allowed(scim.request("POST", "/Schemas", { body: {}, base: "token" }), ["GET"]);
    await allowed(scim.request("DELETE", "/ServiceProviderConfig"), ["GET"]);
    await allowed(world.admin("PUT", "/tenants/", {}), ["GET", "POST"]);
    await allowed(world.admin("PUT", `/tenants/${scim.id}`, {}), ["DELETE", "GET", "PATCH"]);
    await allowed(world.admin("GET", `/scim-tokens/${tokenId}/rotate`), ["POST"]);
    await allowed(world.request("POST", "/healthz"), ["GET"]);
  });

  test("with and without a slash at the end are one path", async () => {
    for (const path of ["/Users", "/Groups", `/Users/${id}`, "/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", `/Schemas/${USER}`]) {
      const [plain, slashed] = [await scim.request("GET", path), await scim.request("GET", `${path}/`)];
      assert.equal(plain.status, 200, plain.text);
      assert.deepEqual(lasting(slashed), lasting(plain), path);
    }
    for (const path of ["/tenants", `/tenants/${scim.id}`, "/scim-tokens", `/scim-tokens/${tokenId}`]) {
      const [plain, slashed] = [await world.admin("GET", path), await world.admin("GET", `${path}/`)];
      assert.equal(plain.status, 200, plain.text);
      // `last_used_at` may be noted in between.
      const timeless = (reply) => JSON.stringify(lasting(reply)).replaceAll(/"last_used_at":("[^"]*"|null)/g, "");
      assert.equal(timeless(slashed), timeless(plain), path);
    }
    assert.equal((await world.request("GET", "/healthz/")).body.status, "ok");
    const made = await scim.request("POST", "/Users/", { body: user("slashed@example.com") });
    assert.equal(made.status, 201, made.text);
    assert.match(made.headers.location, new RegExp(`/Users/${made.body.id}$`));
    assert.equal((await scim.request("DELETE", `/Users/${made.body.id}/`)).status, 204);
  });
});

describe("ids in the path", () => {
  test("are the same percent-encoded and in capitals", async () => {
    const encoded = [...id].map((character) => `%${character.charCodeAt(0).toString(16)}`).join("");
    for (const spelled of [encoded, `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`, id.toUpperCase(), id.replaceAll("-", "%2d"), id.replaceAll("-", "%2D")]) {
      const reply = await scim.request("GET", `/Users/${spelled}`);
      assert.equal(reply.status, 200, `${spelled}: ${reply.text}`);
      assert.equal(reply.body.id, id);
      assert.match(reply.body.meta.location, new RegExp(`/Users/${id}$`), spelled);
    }
    assert.equal((await scim.request("GET", `/Schemas/${encodeURIComponent(USER)}`)).body.id, USER);
    assert.equal((await world.admin("GET", `/tenants/${scim.id.replaceAll("-", "%2D")}`)).body.data.id, scim.id);
  });

  test("that are nobody's are 404, whatever they are made of", async () => {
    for (const odd of [`${id}%00`, `${id}%2f`, `${id}%2F..`, "%ZZ", "%", "%ff%fe", "%c3%28", "x".repeat(5_000), "%20", `%20${id}`, "null", "😀", "*", "' or 1=1 --", "%252e", `${id}%0a`]) {
      for (const method of ["GET", "DELETE"]) {
        const reply = await scim.request(method, `/Users/${odd}`);
        assert.equal(reply.status, 404, `${method} ${odd.slice(0, 50)}: ${reply.status} ${reply.text}`);
      }
    }
    assert.equal((await scim.request("GET", `/Users/${id}`)).status, 200);
  });
});

describe("addresses", () => {
  /** As a client sends it: the runtime itself writes `'` as `%27`, which makes it three times as long. */
  async function get(path) {
    const url = await world.mf.ready;
    const reply = await new Promise((resolve, reject) => request(url, { path }, resolve).on("error", reject).end());
    let text = "";
    for await (const chunk of reply.setEncoding("utf8")) text += chunk;
    return { status: reply.statusCode, headers: reply.headers, body: JSON.parse(text) };
  }

  test("that are too long are 414, in the dialect of the path", async () => {
    const scimReply = await get(`/scim/v2/Users?filter=${"'".repeat(30_000)}`);
    assert.deepEqual([scimReply.status, scimReply.body.status, scimReply.headers["content-type"]], [414, "414", "application/scim+json"]);
    const reply = await get(`/api/v1/admin/tenants?search=${"'".repeat(30_000)}`);
    assert.deepEqual([reply.status, Object.keys(reply.body)], [414, ["detail"]]);
    assert.match(reply.headers["x-request-id"], /^[0-9a-f-]{36}$/);
    assert.equal((await get(`/api/v1/admin/tenants?search=${"'".repeat(20_000)}`)).status, 401);
  });
});

describe("HEAD", () => {
  test("is GET without the body", async () => {
    for (const [path, headers] of [["/Users", {}], [`/Users/${id}`, {}], ["/ServiceProviderConfig", {}], [`/Users/${id}`, { "if-none-match": "*" }], ["/Nothing", {}]]) {
      const [head, get] = [await scim.request("HEAD", path, { headers }), await scim.request("GET", path, { headers })];
      assert.equal(head.status, get.status, path);
      for (const name of ["content-type", "etag", "location"]) assert.equal(head.headers[name], get.headers[name], `${name} of ${path}`);
    }
    assert.equal((await world.request("HEAD", "/healthz")).status, 200);
    assert.equal((await world.request("HEAD", "/api/v1/admin/tenants/")).status, 401);
  });
});

describe("conditional requests", () => {
  test("find out whether anything changed: 304, and 412", async () => {
    const read = await scim.request("GET", `/Users/${id}`);
    const { etag } = read.headers;
    assert.equal(read.body.meta.version, etag);
    for (const [name, value, status] of [
      ["if-none-match", etag, 304],
      ["if-none-match", `"x", ${etag}`, 304],
      ["if-none-match", "*", 304],
      ["if-none-match", 'W/"999"', 200],
    ]) {
      const reply = await scim.request("GET", `/Users/${id}`, { headers: { [name]: value } });
      assert.equal(reply.status, status, `${name}: ${value}`);
      assert.equal(reply.headers.etag, etag);
    }
    const change = (value) => scim.request("PATCH", `/Users/${id}`, { body: rename(`If ${value}`), headers: { "if-match": value } });
    assert.equal((await change('W/"999"')).status, 412);
    assert.equal((await change(etag)).status, 200);
    assert.equal((await change(etag)).status, 412, "the version is gone now");
    assert.equal((await change("*")).status, 200);
  });
});

describe("content types", () => {
  const body = JSON.stringify(user("typed@example.com"));
  test("that are JSON are read on SCIM routes, with any parameters; others are 415", async () => {
    for (const [type, status] of [
      ["application/scim+json", 201],
      ["application/json", 409],
      ["application/scim+json; charset=utf-8", 409],
      ["Application/SCIM+JSON;charset=UTF-8", 409],
      ["text/plain", 415],
      ["application/xml", 415],
      ["application/x-www-form-urlencoded", 415],
      ["application/jsonp", 415],
      ["", 415],
    ]) {
      const reply = await scim.request("POST", "/Users", { raw: body, headers: { "content-type": type } });
      assert.equal(reply.status, status, `${type}: ${reply.text}`);
    }
  });

  test("are application/json alone on the administrator's routes", async () => {
    for (const [type, status] of [["application/json; charset=utf-8", 201], ["text/plain", 415], ["application/scim+json", 415]]) {
      const reply = await world.request("POST", "/api/v1/admin/tenants/", { auth: `Bearer ${adminToken()}`, raw: '{"name":"Typed"}', headers: { "content-type": type } });
      assert.equal(reply.status, status, `${type}: ${reply.text}`);
    }
  });

  test("do not make a body out of nothing", async () => {
    for (const raw of ["", " ", "null", "[]", "1", '"text"', "{", '{"a":1}x', '{"userName":"a","userName":"b"}', "\u{feff}{}"]) {
      const reply = await scim.request("POST", "/Users", { raw });
      assert.equal(reply.status, 400, `${raw}: ${reply.status} ${reply.text}`);
      const admin = await world.request("POST", "/api/v1/admin/tenants/", { auth: `Bearer ${adminToken()}`, raw });
      assert.equal(admin.status, 422, `${raw}: ${admin.status} ${admin.text}`);
    }
    assert.equal((await scim.request("PATCH", `/Users/${id}`, { raw: JSON.stringify(patch()).replace("Operations", "Nothing") })).status, 400);
  });
});

test("a refusal's line in the log has the place in the code that made it, and another refusal has another place", async () => {
  const refusals = [
    await scim.request("GET", "/Users?filter=private%20eq%201"),
    await scim.request("GET", "/Users?filter=userName%20eq"),
    await scim.request("GET", "/Users/0197b1a2-0000-7000-8000-000000000000"),
    await scim.request("GET", "/nothing"),
    await world.request("GET", "/api/v1/admin/tenants/", { auth: "Bearer <token>" }),
    await world.admin("POST", "/tenants/", {}),
  ];
  const reasons = [];
  for (const { status, headers } of refusals) {
    assert.ok(status >= 400);
    const isOwn = (line) => line.includes(`"${headers["x-request-id"]}"`);
    const line = await eventually(() => world.output.split("\n").find(isOwn), "the line in the log");
    const { reason } = JSON.parse(line);
    const [, file, place] = reason.match(/^([a-z0-9_/]+\.rs):(\d+)$/) ?? assert.fail(reason);
    const code = readFileSync(inRoot("src", file), "utf8").split("\n")[place - 1];
    assert.ok(code.trim(), `${reason} is no line of code`);
    reasons.push(reason);
  }
  assert.equal(new Set(reasons).size, reasons.length, reasons.join(" "));
});
