// What only the real platform shows of values: numbers and nulls on their way through D1, letters of every kind, what KV holds, bodies as long
// and as deep as a client can make them.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { assertConsistent } from "./support/consistency.mjs";
import { eventually } from "./support/eventually.mjs";
import { addMembers, group, patch, rename, user } from "./support/resources.mjs";
import { cacheKey } from "./support/scim_token.mjs";
import { startWorld } from "./support/world.mjs";

const MIB = 1024 * 1024;

let world, scim;
before(async () => {
  world = await startWorld();
  scim = await world.tenant();
});
after(async () => {
  if (scim) await assertConsistent(world, scim);
  await world?.stop();
});

const create = async (body, path = "/Users") => {
  const reply = await scim.request("POST", path, { body });
  assert.equal(reply.status, 201, reply.text);
  return reply.body;
};
const find = async (filter, path = "/Users") => {
  const reply = await scim.request("GET", `${path}?filter=${encodeURIComponent(filter)}`);
  assert.equal(reply.status, 200, `${filter}: ${reply.text}`);
  return reply.body.Resources.map(({ id }) => id);
};

describe("numbers and nulls", () => {
  test("are integers in D1, and times come back to the millisecond", async () => {
    const { id, meta } = await create(user("numbers@example.com"));
    const row = await world.row(
      `select created_at, modified_at, version, external_id, password_hash, typeof(created_at) || typeof(modified_at) || typeof(version) as types
       from users where tenant_id = ?1 and id = ?2`,
      scim.id,
      id,
    );
    assert.equal(row.types, "integerintegerinteger");
    assert.equal(new Date(row.created_at).toISOString(), meta.created);
    assert.equal(new Date(row.modified_at).toISOString(), meta.lastModified);
    assert.ok(Math.abs(row.created_at - Date.now()) < 60_000);
    assert.deepEqual([row.external_id, row.password_hash], [null, null]);
    const events = await world.rows("select distinct typeof(seq) || typeof(at) as types from audit_events");
    assert.deepEqual(events, [{ types: "integerinteger" }]);
    const tenants = await world.rows("select distinct typeof(user_total) || typeof(audit_seq) || typeof(updated_at) || typeof(deleted_at) as types from tenants");
    assert.deepEqual(tenants, [{ types: "integerintegerintegernull" }]);
  });

  test("above 2^31 and 2^32 are exact: versions, and a group's count", async () => {
    const { id } = await create(user("versions@example.com"));
    const { id: team } = await create(group("Counted", [id]), "/Groups");
    for (const version of [2 ** 31, 2 ** 32 + 1, 2 ** 53 - 3]) {
      await world.db.prepare("update users set version = ?1 where id = ?2").bind(version, id).run();
      const read = await scim.request("GET", `/Users/${id}`);
      assert.equal(read.headers.etag, `W/"${version}"`);
      const changed = await scim.request("PATCH", `/Users/${id}`, { body: rename(`at ${version}`), headers: { "if-match": read.headers.etag } });
      assert.deepEqual([changed.status, changed.headers.etag], [200, `W/"${version + 1}"`], changed.text);
    }
    await world.db.prepare("update groups set member_count = ?1 where id = ?2").bind(2 ** 33, team).run();
    assert.equal((await scim.request("PATCH", `/Groups/${team}`, { body: rename("Counted still") })).status, 204);
    const { member_count } = await world.row("select member_count, typeof(member_count) as type from groups where id = ?1", team);
    assert.equal(member_count, 2 ** 33);
    await world.db.prepare("update groups set member_count = 1 where id = ?1").bind(team).run();
  });

  test("in the query may be absurd, and are answered", async () => {
    for (const [query, status] of [
      ["startIndex=2147483648", 200],
      ["startIndex=9007199254740993&count=5", 200],
      ["count=9007199254740993", 200],
      ["startIndex=-5&count=-5", 200],
      ["count=1e3", 400],
      ["count=99999999999999999999999", 400],
      ["startIndex=NaN", 400],
    ]) {
      const reply = await scim.request("GET", `/Users?${query}`);
      assert.equal(reply.status, status, `${query}: ${reply.text}`);
      if (status === 200) assert.ok(Number.isSafeInteger(reply.body.totalResults));
    }
  });

  test("in a body may be beyond every type, and are answered", async () => {
    for (const number of ["1e400", "-1e400", "9007199254740993", "123456789012345678901234567890", "1e-400"]) {
      const reply = await scim.request("POST", "/Users", { raw: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"n${number}@example.com","displayName":${number},"unknown":${number}}` });
      assert.ok([201, 400].includes(reply.status), `${number}: ${reply.status} ${reply.text}`);
    }
  });
});

describe("letters", () => {
  // Each name is found by the others of its line, and taken for them.
  for (const names of [
    ["straße@example.com", "STRASSE@EXAMPLE.COM", "Strasse@Example.com"],
    ["ΟΔΥΣΣΕΥΣ@example.com", "οδυσσευς@example.com", "οδυσσευσ@example.com"],
    ["ÄÖÜ@example.com", "äöü@example.com"],
    ["İstanbul@example.com", "i\u0307STANBUL@example.com"],
    ["Ŀ\u{10400}@example.com", "ŀ\u{10428}@example.com"],
    ["ﬁsh@example.com", "FISH@example.com"],
    ["😀-smile@example.com", "😀-SMILE@example.com"],
  ]) {
    test(`of ${names[0]} and ${names[1]} are one user name`, async () => {
      const { id, userName } = await create(user(names[0], { displayName: names[0] }));
      assert.equal(userName, names[0], "it is kept as it was written");
      for (const name of names) {
        assert.deepEqual(await find(`userName eq "${name}"`), [id], name);
        assert.deepEqual(await find(`displayName eq "${name}"`), [id], name);
        assert.deepEqual(await find(`userName sw "${[...name].slice(0, 3).join("")}" and displayName ew "${[...name].slice(3).join("")}"`), [id], name);
        assert.equal((await scim.request("POST", "/Users", { body: user(name) })).status, 409, name);
      }
    });
  }

  test("that look alike are not the same: dotless ı, accents, other planes", async () => {
    const one = await create(user("ısi@example.com"));
    const two = await create(user("isi@example.com"));
    const three = await create(user("ísi@example.com"));
    assert.deepEqual(await find('userName eq "ISI@example.com"'), [two.id]);
    assert.deepEqual(await find('userName eq "ısi@example.com"'), [one.id]);
    assert.deepEqual(await find('userName eq "ÍSI@example.com"'), [three.id]);
  });

  test("beyond the first plane are counted as one, and come back whole", async () => {
    const name = "👩‍👩‍👧 𝔘nicode \u{1F468}\u{200D}\u{1F4BB} \u0001\u007f \u2028 \"quoted\" \\ back /";
    const { id } = await create(user("planes@example.com", { displayName: name }));
    assert.equal((await scim.request("GET", `/Users/${id}`)).body.displayName, name);
    for (const filter of ['displayName co "𝔘nicode"', 'displayName sw "👩‍👩‍👧 𝔘"', 'displayName ew "\\\\ back /"', 'displayName co "\\"quoted\\""']) {
      assert.deepEqual(await find(filter), [id], filter);
    }
  });

  test("that cannot be stored whole are refused, and never cut short: NUL and half a surrogate", async () => {
    for (const escape of ["\\u0000", "a\\u0000b", "\\ud800", "x\\udc00y", "\\ud83d"]) {
      const raw = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"nul${escape}@example.com","displayName":"a${escape}z"}`;
      const reply = await scim.request("POST", "/Users", { raw });
      assert.ok([201, 400].includes(reply.status), `${escape}: ${reply.status} ${reply.text}`);
      if (reply.status === 400) continue;
      const { body } = await scim.request("GET", `/Users/${reply.body.id}`);
      assert.deepEqual([body.userName, body.displayName], [JSON.parse(`"nul${escape}@example.com"`), JSON.parse(`"a${escape}z"`)], escape);
      assert.deepEqual(await find(`userName eq "nul${escape}@example.com"`), [reply.body.id], escape);
    }
    const bytes = Buffer.concat([Buffer.from('{"userName":"'), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from('"}')]);
    const reply = await scim.request("POST", "/Users", { raw: bytes });
    assert.deepEqual([reply.status, reply.body.scimType], [400, "invalidSyntax"], "bytes that are no UTF-8");
  });
});

describe("KV", () => {
  test("holds JSON under the hash of a token, with an end, and nothing else", async () => {
    await eventually(() => world.kv.get(cacheKey(scim.token)), "the token in KV");
    const { keys } = await world.kv.list();
    assert.ok(keys.length > 0);
    for (const { name, expiration } of keys) {
      assert.match(name, /^scim-token:[0-9a-f]{64}$/);
      assert.ok(expiration * 1000 > Date.now() && expiration * 1000 < Date.now() + 86_400_000 + 60_000, `${name} ends at ${expiration}`);
      const value = JSON.parse(await world.kv.get(name));
      assert.equal(typeof value.tenant, "string", name);
      assert.ok(!JSON.stringify(value).includes("rcs_"), name);
    }
  });
});

describe("bodies", () => {
  const padded = (length, more = {}) => {
    const body = JSON.stringify({ ...user(`long-${length}@example.com`, more), unknown: "" });
    return body.replace('"unknown":""', `"unknown":"${"x".repeat(length - body.length)}"`);
  };

  test("of 1 MiB are read, and one byte more is 413 in the dialect of the route, with and without a length", async () => {
    const whole = await scim.request("POST", "/Users", { raw: padded(MIB) });
    assert.equal(whole.status, 201, whole.text.slice(0, 300));
    for (const length of [MIB + 1, 3 * MIB]) {
      const reply = await scim.request("POST", "/Users", { raw: padded(length) });
      assert.equal(reply.status, 413, reply.text);
      const admin = await world.admin("POST", "/tenants/", { name: "x".repeat(length) });
      assert.equal(admin.status, 413, admin.text);
    }
    const stream = new Blob([padded(MIB + 1)]).stream();
    const reply = await world.mf.dispatchFetch(`https://rollcall.test${scim.base}/Users`, {
      method: "POST",
      headers: { authorization: `Bearer ${scim.token}`, "content-type": "application/scim+json" },
      body: stream,
      duplex: "half",
    });
    assert.deepEqual([reply.status, (await reply.json()).status], [413, "413"]);
  });

  /** The status of the reply to what is written to a connection as it is, and then ended; none where the connection breaks off. */
  async function sent(headers, body) {
    const { hostname, port } = await world.mf.ready;
    const socket = connect(Number(port), hostname);
    const head = [`POST ${scim.base}/Users HTTP/1.1`, "host: localhost", `authorization: Bearer ${scim.token}`, "content-type: application/scim+json", ...headers];
    socket.on("error", () => {}); // what comes before it counts
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
    let text = "";
    for await (const part of socket.setEncoding("latin1").iterator({ destroyOnReturn: false })) text += part;
    return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
  }

  test("that are longer or shorter than they say are read as far as that, and are no request where they end too early", async () => {
    const stored = async (name) => (await find(`userName eq "${name}@example.com"`)).length;
    const text = (name) => JSON.stringify(user(`${name}@example.com`));
    const chunked = (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const lengths = (length) => [`content-length: ${length}`];
    assert.equal(await sent(lengths(text("exact").length), text("exact")), 201);
    assert.equal(await sent(["transfer-encoding: chunked"], chunked(text("chunks"))), 201);
    assert.equal(await sent(lengths(text("more").length), `${text("more")}${" ".repeat(100)}`), 201);
    assert.equal(await sent(lengths(text("cut").length - 1), text("cut")), 400);
    assert.equal(await sent(lengths(text("short").length + 100), text("short")), 400);
    assert.equal(await sent(["transfer-encoding: chunked"], `40\r\n${text("short").slice(0, 20)}`), 400);
    assert.deepEqual(await Promise.all(["exact", "chunks", "more", "cut", "short"].map(stored)), [1, 1, 1, 0, 0]);
    // A length beside chunks says nothing: either that is no request, or the chunks are the body.
    const both = [...lengths(5), "transfer-encoding: chunked"];
    assert.notEqual(await sent(both, chunked(padded(3 * MIB))), 201);
    const status = await sent(both, chunked(text("both")));
    assert.deepEqual([[201, 1], [400, 0]].find(([known]) => known === status), [status, await stored("both")]);
  });

  test("and filters nested beyond reason are 400, and never the end of the instance's stack", async () => {
    for (const raw of ["[".repeat(500_000), `${'{"a":'.repeat(150_000)}1${"}".repeat(150_000)}`, `${"[".repeat(5_000)}${"]".repeat(5_000)}`]) {
      const reply = await scim.request("POST", "/Users", { raw });
      assert.deepEqual([reply.status, reply.body.scimType], [400, "invalidSyntax"], reply.text);
    }
    for (const filter of [`${"(".repeat(2_000)}userName pr${")".repeat(2_000)}`, `${"not (".repeat(1_500)}userName pr${")".repeat(1_500)}`, Array(400).fill('userName eq "a"').join(" or "), "(".repeat(7_000)]) {
      const reply = await scim.request("GET", `/Users?filter=${encodeURIComponent(filter)}`);
      assert.deepEqual([reply.status, reply.body.scimType], [400, "invalidFilter"], reply.text);
    }
    assert.equal((await scim.request("GET", "/Users?count=1")).status, 200);
  });

  test("with thousands of values are stored or refused, whole", async () => {
    const emails = Array.from({ length: 5_000 }, (_, index) => ({ value: `many-${index}@example.com`, type: "work" }));
    const many = await scim.request("POST", "/Users", { body: user("many@example.com", { emails }) });
    assert.ok([201, 400, 413].includes(many.status), `${many.status} ${many.text.slice(0, 200)}`);
    if (many.status === 201) assert.equal((await find('emails.value eq "many-4999@example.com"')).length, 1);
    const operations = Array.from({ length: 2_000 }, (_, index) => ({ op: "add", path: "phoneNumbers", value: [{ value: `+${index}` }] }));
    const { id } = await create(user("operations@example.com"));
    const reply = await scim.request("PATCH", `/Users/${id}`, { body: patch(...operations) });
    assert.ok([200, 400, 413].includes(reply.status), `${reply.status} ${reply.text.slice(0, 200)}`);
  });

  test("of two thousand members make a group, and change it, in two round trips", async () => {
    // Replacing the group takes out more members than a usual tenant lets one credential remove.
    const other = await world.tenant({ removal_fuse: null });
    const ids = [];
    for (let start = 0; start < 2_000; start += 20) {
      const made = await Promise.all(Array.from({ length: 20 }, (_, index) => other.request("POST", "/Users", { body: user(`m${start + index}@example.com`) })));
      ids.push(...made.map(({ body }) => body.id));
    }
    const created = await other.request("POST", "/Groups?excludedAttributes=members", { body: group("Large", ids.slice(0, 1_000)) });
    assert.equal(created.status, 201, created.text);
    const path = `/Groups/${created.body.id}?excludedAttributes=members`;
    for (const [method, body] of [["PATCH", addMembers(ids)], ["PUT", group("Large", ids.slice(500))]]) {
      const reply = await other.request(method, path, { body });
      assert.equal(reply.status, 200, reply.text);
      assert.ok(reply.cost.trips <= 2, `${method}: ${reply.cost.trips} round trips`);
    }
    const { body } = await other.request("GET", `/Groups/${created.body.id}`);
    assert.deepEqual(body.members.map(({ value }) => value).sort(), ids.slice(500).sort());
    await assertConsistent(world, other);
  });
});
