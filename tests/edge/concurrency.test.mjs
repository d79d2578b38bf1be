// Many clients at once, against the real D1: nobody's change is lost, one of many wins where only one can, and what is counted stays right.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent, contents } from "./support/consistency.mjs";
import { addMembers, group, patch, removeMembers, rename, user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

let world, scim;
before(async () => (world = await startWorld()));
after(() => world?.stop());
beforeEach(async () => (scim = await world.tenant()));
afterEach(() => assertConsistent(world, scim));

const times = (count, work) => Promise.all(Array.from({ length: count }, (_, index) => work(index)));
const statuses = (replies) => replies.map(({ status }) => status).sort();
const repeat = (count, status) => Array.from({ length: count }, () => status);
const made = async (path, body) => {
  const reply = await scim.request("POST", path, { body });
  assert.equal(reply.status, 201, reply.text);
  return reply.body.id;
};
/** As a client does: told to try again (503), it tries again. */
async function persist(send) {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const reply = await send();
    if (reply.status !== 503) return { ...reply, attempt };
    await sleep(50 * Math.random());
  }
  assert.fail("503 thirty times in a row");
}
const phone = (index) => patch({ op: "add", path: "phoneNumbers", value: [{ value: `+49 30 ${index}`, type: `line-${index}` }] });

test("two PATCHes of one user at once both take place", async () => {
  for (let round = 0; round < 10; round += 1) {
    const id = await made("/Users", user(`pair-${round}@example.com`));
    const replies = await times(2, (index) => scim.request("PATCH", `/Users/${id}`, { body: phone(index) }));
    assert.deepEqual(statuses(replies), [200, 200], replies.map(({ text }) => text).join("\n"));
    const { body } = await scim.request("GET", `/Users/${id}`);
    assert.deepEqual([body.phoneNumbers.length, body.meta.version], [2, 'W/"3"']);
  }
});

test("of twenty PATCHes of one user at once none is lost: each that is answered 200 is there, and each 503 succeeds when it is sent again", async () => {
  const id = await made("/Users", user("busy@example.com"));
  const replies = await times(20, (index) => persist(() => scim.request("PATCH", `/Users/${id}`, { body: phone(index) })));
  assert.deepEqual(statuses(replies), repeat(20, 200));
  const versions = replies.map(({ headers }) => Number(/^W\/"(\d+)"$/.exec(headers.etag)[1])).sort((a, b) => a - b);
  assert.deepEqual(versions, Array.from({ length: 20 }, (_, index) => index + 2), "two replies name the same version");
  const { body } = await scim.request("GET", `/Users/${id}`);
  assert.deepEqual(body.phoneNumbers.map(({ value }) => value).sort(), Array.from({ length: 20 }, (_, index) => `+49 30 ${index}`).sort());
  assert.equal(body.meta.version, 'W/"21"');
});

test("of twenty PATCHes with the same If-Match one takes place, and nineteen are answered 412", async () => {
  const id = await made("/Users", user("matched@example.com"));
  const replies = await times(20, (index) => scim.request("PATCH", `/Users/${id}`, { body: rename(`Name ${index}`), headers: { "if-match": 'W/"1"' } }));
  assert.deepEqual(statuses(replies), [200, ...repeat(19, 412)]);
});

for (const profile of ["compat", "strict"]) {
  test(`of ten creates of one userName at once one is made, and nine are answered 409 (${profile})`, async () => {
    scim = await world.tenant({ profile });
    const replies = await times(10, (index) => scim.request("POST", "/Users", { body: user(index % 2 ? "ONE@example.com" : "one@example.com", { title: `${index}` }) }));
    assert.deepEqual(statuses(replies), [201, ...repeat(9, 409)]);
    for (const { status, body } of replies) if (status === 409) assert.equal(body.scimType, "uniqueness");
  });
}

test("ten creates of an inactive user's name at once are answered 409, and where the user is switched on", async () => {
  const id = await made("/Users", user("back@example.com", { externalId: "x-1" }));
  assert.equal((await scim.request("PATCH", `/Users/${id}`, { body: patch({ op: "replace", path: "active", value: false }) })).status, 200);
  const replies = await times(10, () => scim.request("POST", "/Users", { body: user("back@example.com", { externalId: "x-1" }) }));
  assert.deepEqual(statuses(replies), repeat(10, 409));
  for (const { body } of replies) assert.ok(body.detail.includes(`/Users/${id}`), body.detail);
  assert.equal((await scim.request("GET", `/Users/${id}`)).body.active, false);
});

test("of ten creates of one group name at once one is made", async () => {
  const replies = await times(10, () => scim.request("POST", "/Groups", { body: group("Only one") }));
  assert.deepEqual(statuses(replies), [201, ...repeat(9, 409)]);
});

test("twenty members added to one group at once, each by a PATCH of its own, are all in it", async () => {
  const users = await times(20, (index) => made("/Users", user(`member-${index}@example.com`)));
  const id = await made("/Groups", group("Joined"));
  const replies = await times(20, (index) => persist(() => scim.request("PATCH", `/Groups/${id}`, { body: addMembers([users[index]]) })));
  assert.deepEqual(statuses(replies), repeat(20, 200));
  const { body } = await scim.request("GET", `/Groups/${id}`);
  assert.deepEqual(body.members.map(({ value }) => value).sort(), [...users].sort());
});

test("64 writers who add and take out different members of one group at once: none is refused, and each takes one round trip", async () => {
  const users = await times(64, (index) => made("/Users", user(`writer-${index}@example.com`)));
  const id = await made("/Groups", group("Busy", users.slice(32)));
  const change = (index) => (index < 32 ? addMembers([users[index]]) : removeMembers([users[index]]));
  const replies = await times(64, (index) => scim.request("PATCH", `/Groups/${id}`, { body: change(index) }));
  assert.deepEqual(statuses(replies), repeat(64, 200), replies.find(({ status }) => status !== 200)?.text);
  assert.deepEqual([...new Set(replies.map(({ cost }) => cost.trips))], [1]);
  assert.equal(new Set(replies.map(({ headers }) => headers.etag)).size, 64, "two replies name the same version");
  const { body } = await scim.request("GET", `/Groups/${id}`);
  assert.deepEqual(body.members.map(({ value }) => value).sort(), users.slice(0, 32).sort());
  assert.equal(body.meta.version, 'W/"65"');
});

test("64 PATCHes of one user at once all succeed, none of them sent again", async () => {
  const id = await made("/Users", user("patched@example.com"));
  const replies = await times(64, (index) => scim.request("PATCH", `/Users/${id}`, { body: phone(index) }));
  assert.deepEqual(statuses(replies), repeat(64, 200), replies.find(({ status }) => status !== 200)?.text);
  const { body } = await scim.request("GET", `/Users/${id}`);
  assert.deepEqual([body.phoneNumbers.length, body.meta.version], [64, 'W/"65"']);
});

test("a user who is deleted while being added to groups is in none of them after", async () => {
  const id = await made("/Users", user("leaving@example.com"));
  const groups = await times(8, (index) => made("/Groups", group(`Group ${index}`)));
  const adding = groups.map((each) => persist(() => scim.request("PATCH", `/Groups/${each}`, { body: addMembers([id]) })));
  const removing = persist(() => scim.request("DELETE", `/Users/${id}`));
  for (const { status, text } of await Promise.all(adding)) assert.ok([200, 400].includes(status), text);
  assert.equal((await removing).status, 204);
  assert.deepEqual(await world.rows("select * from group_members where tenant_id = ?1", scim.id), []);
});

test("of ten DELETEs of one user at once one finds it", async () => {
  const id = await made("/Users", user("gone@example.com"));
  const replies = await times(10, () => scim.request("DELETE", `/Users/${id}`));
  assert.deepEqual(statuses(replies), [204, ...repeat(9, 404)]);
});

test("a hundred different changes at once leave counters, members and the audit trail right", async () => {
  const users = await times(20, (index) => made("/Users", user(`start-${index}@example.com`, { emails: [{ value: `start-${index}@example.com` }] })));
  const groups = await times(4, (index) => made("/Groups", group(`Start ${index}`, users.slice(index * 5, index * 5 + 5))));
  const replies = await times(100, (index) =>
    persist(() => {
      const target = users[index % 20];
      const choice = [
        ["POST", "/Users", user(`new-${index}@example.com`)],
        ["PATCH", `/Users/${target}`, phone(index)],
        ["PUT", `/Users/${target}`, user(`put-${index}@example.com`, { emails: [{ value: `put-${index}@example.com` }] })],
        ["PATCH", `/Groups/${groups[index % 4]}`, addMembers([target])],
        ["DELETE", `/Users/${users[(index * 7) % 20]}`],
      ][index % 5];
      return scim.request(choice[0], choice[1], { body: choice[2] });
    }),
  );
  for (const { status, text } of replies) assert.ok([200, 201, 204, 400, 404].includes(status), `${status} ${text}`);
});

test("writers of one user, of one group and of one name at once: every write that is answered has its event, and nothing else has one", async () => {
  const id = await made("/Users", user("shared@example.com"));
  const team = await made("/Groups", group("Shared"));
  const members = await times(10, (index) => made("/Users", user(`member-${index}@example.com`)));
  const known = new Set((await world.rows("select request_id from audit_events where tenant_id = ?1", scim.id)).map(({ request_id }) => request_id));
  const replies = await times(60, (index) => {
    const lane = Math.floor(index / 4);
    const [method, path, body] = [
      ["PATCH", `/Users/${id}`, phone(index)],
      ["PATCH", `/Groups/${team}`, lane < 10 ? addMembers([members[lane]]) : rename(`Shared ${index}`)],
      ["POST", "/Users", user("wanted@example.com", { title: `${index}` })],
      ["PATCH", `/Users/${members[lane % 10]}`, patch({ op: "replace", path: "userName", value: "also-wanted@example.com" })],
    ][index % 4];
    return persist(() => scim.request(method, path, { body }));
  });
  const kind = (which) => replies.filter((_, index) => index % 4 === which);
  assert.deepEqual(statuses(kind(0)), repeat(15, 200));
  assert.deepEqual(statuses(kind(1)), repeat(15, 200));
  assert.deepEqual(statuses(kind(2)), [201, ...repeat(14, 409)]);
  // Whoever has the name may ask for it once more, which changes nothing.
  const winners = kind(3).filter(({ status }) => status === 200);
  assert.equal(new Set(winners.map(({ body }) => body.id)).size, 1, "two users have one name");
  assert.deepEqual(statuses(kind(3)).slice(winners.length), repeat(15 - winners.length, 409));
  const won = winners.sort((one, two) => one.headers.etag.localeCompare(two.headers.etag)).slice(0, 1);
  const wrote = [...kind(0), ...kind(1), ...kind(2).filter(({ status }) => status === 201)].map(({ headers }) => headers["x-request-id"]);
  const events = (await world.rows("select request_id from audit_events where tenant_id = ?1", scim.id)).map(({ request_id }) => request_id).filter((request) => !known.has(request));
  assert.equal(events.length, wrote.length + won.length);
  assert.deepEqual(wrote.filter((request) => !events.includes(request)), []);
  const { body } = await scim.request("GET", `/Users/${id}`);
  assert.deepEqual([body.phoneNumbers.length, body.meta.version], [15, 'W/"16"']);
  const shared = await scim.request("GET", `/Groups/${team}`);
  assert.deepEqual(shared.body.members.map(({ value }) => value).sort(), [...members].sort());
});

test("a write that is refused, or that names nobody, leaves nothing behind", async () => {
  const id = await made("/Users", user("one@example.com"));
  await made("/Users", user("two@example.com"));
  const team = await made("/Groups", group("Team", [id]));
  await made("/Groups", group("Other"));
  const nobody = "019a0000-0000-7000-8000-000000000000";
  const was = await contents(world, scim);
  for (const [status, method, path, body, headers] of [
    [409, "POST", "/Users", user("ONE@example.com")],
    [409, "PUT", `/Users/${id}`, user("two@example.com")],
    [409, "PATCH", `/Users/${id}`, patch({ op: "replace", path: "userName", value: "two@example.com" })],
    [409, "POST", "/Groups", group("TEAM", [id])],
    [409, "PATCH", `/Groups/${team}`, rename("Other")],
    [412, "PATCH", `/Users/${id}`, rename("x"), { "if-match": 'W/"7"' }],
    [412, "PUT", `/Users/${id}`, user("one@example.com", { title: "x" }), { "if-match": 'W/"7"' }],
    [412, "DELETE", `/Users/${id}`, undefined, { "if-match": 'W/"7"' }],
    [412, "DELETE", `/Groups/${team}`, undefined, { "if-match": 'W/"7"' }],
    [412, "PATCH", `/Groups/${team}`, rename("x"), { "if-match": 'W/"7"' }],
    [404, "DELETE", `/Users/${nobody}`],
    [200, "PATCH", `/Groups/${team}`, addMembers([nobody])],
    [200, "PUT", `/Groups/${team}`, group("Team", [id, nobody])],
  ]) {
    const reply = await scim.request(method, path, { body, headers });
    assert.equal(reply.status, status, `${method} ${path}: ${reply.text}`);
    assert.equal(await contents(world, scim), was, `${method} ${path} left something behind`);
  }
});

test("a member who is nobody is refused in strict, and leaves nothing behind", async () => {
  scim = await world.tenant({ profile: "strict" });
  const id = await made("/Users", user("one@example.com"));
  const team = await made("/Groups", group("Team", [id]));
  const nobody = "019a0000-0000-7000-8000-000000000000";
  const was = await contents(world, scim);
  for (const [method, path, body] of [["PATCH", `/Groups/${team}`, addMembers([nobody])], ["POST", "/Groups", group("New", [id, nobody])]]) {
    const reply = await scim.request(method, path, { body });
    assert.equal(reply.status, 400, reply.text);
    assert.equal(await contents(world, scim), was, `${method} ${path} left something behind`);
  }
});
