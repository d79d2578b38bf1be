// A tenant with thousands of users and groups of given sizes, put straight into D1: through the API it would take minutes. The rows are made
// from one that the API made, so that they are what the worker itself writes.
import assert from "node:assert/strict";
import { ENTERPRISE, group, user } from "./resources.mjs";

/** A UUIDv7 of its own for each number, in the numbers' order. */
export const numberedId = (kind, number) => `01900000-${kind}000-7000-8000-${number.toString(16).padStart(12, "0")}`;
export const userId = (number) => numberedId("1", number);
export const groupId = (number) => numberedId("2", number);

/** What the number says of a user; each has two addresses, and a manager who leads ten. */
export const facts = (number) => ({
  userName: `user-${String(number).padStart(5, "0")}@example.com`,
  externalId: `ext-${number}`,
  displayName: `Person ${String(number).padStart(5, "0")}`,
  nickName: `nick-${number}`,
  active: number % 10 !== 0,
  emails: [
    { type: "work", value: `work-${number}@example.com`, primary: true },
    { type: "home", value: `home-${number}@example.org` },
  ],
  [ENTERPRISE]: { employeeNumber: `E${number}`, manager: { value: userId(Math.floor(number / 10)) } },
});

/** Fills a tenant with `users` users and one group for each of `sizes`, whose members are the first so many users. */
export async function populate(world, scim, users, sizes) {
  const seven = await rowsOfSeven(world, scim);
  const now = Date.now();
  const rows = Array.from({ length: users }, (_, number) => row(seven, number, now - users + number));
  await inChunks(rows, 500, (chunk) => [
    world.db
      .prepare(
        `insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys)
         select ?1, json_extract(value, '$.id'), '', 1, json_extract(value, '$.at'), json_extract(value, '$.at'),
                json_extract(value, '$.resource'), json_extract(value, '$.keys') from json_each(?2)`,
      )
      .bind(scim.id, JSON.stringify(chunk)),
    world.db
      .prepare(
        `insert into user_emails (tenant_id, value_key, user_id, type_key)
         select ?1, json_extract(e.value, '$.value'), json_extract(u.value, '$.id'), json_extract(e.value, '$.type')
         from json_each(?2) u, json_each(u.value, '$.emails') e`,
      )
      .bind(scim.id, JSON.stringify(chunk)),
  ].map((statement) => statement.run()));
  for (const [number, size] of sizes.entries()) {
    const resource = { schemas: group("").schemas, displayName: size ? `Group of ${size}` : `Empty ${number}` };
    const keys = { schemas: resource.schemas, displayname: resource.displayName.toLowerCase() };
    await world.db
      .prepare(
        `insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, resource, keys)
         values (?1, ?2, '', 1, ?3, ?3, ?4, 1, ?5, ?6)`,
      )
      .bind(scim.id, groupId(number), now, size, JSON.stringify(resource), JSON.stringify(keys))
      .run();
    const members = Array.from({ length: size }, (_, member) => userId(member));
    await inChunks(members, 1_000, (chunk) => [
      world.db
        .prepare("insert into group_members (tenant_id, group_id, member_id, member_type) select ?1, ?2, value, 'User' from json_each(?3)")
        .bind(scim.id, groupId(number), JSON.stringify(chunk))
        .run(),
    ]);
  }
  await world.db.prepare("update tenants set user_total = user_total + ?2, group_total = group_total + ?3 where id = ?1").bind(scim.id, users, sizes.length).run();
}

/** What the worker itself writes of the user with the number 7. It is deleted again. */
async function rowsOfSeven(world, scim) {
  const made = await scim.request("POST", "/Users", { body: { ...user(""), schemas: [user("").schemas[0], ENTERPRISE], ...facts(7) } });
  assert.equal(made.status, 201, made.text);
  const stored = await world.row("select resource, keys from users where tenant_id = ?1 and id = ?2", scim.id, made.body.id);
  assert.equal((await scim.request("DELETE", `/Users/${made.body.id}`)).status, 204);
  return stored;
}

/** The rows of another user, made of those by putting its own facts into them. */
function row(seven, number, at) {
  const all = facts(number);
  const replaced = strings(facts(7)).map((text, index) => [text, strings(all)[index]]);
  const renumber = (json) => {
    let text = json.replace('"active":true', `"active":${all.active}`);
    for (const [old, own] of replaced) {
      text = text.replaceAll(old, own);
      if (old !== old.toLowerCase()) text = text.replaceAll(old.toLowerCase(), own.toLowerCase());
    }
    return text;
  };
  return { id: userId(number), at, resource: renumber(seven.resource), keys: renumber(seven.keys), emails: all.emails };
}

function strings(all) {
  const extension = all[ENTERPRISE];
  return [all.userName, all.externalId, all.displayName, all.nickName, ...all.emails.map(({ value }) => value), `"${extension.employeeNumber}"`, extension.manager.value];
}

async function inChunks(items, size, work) {
  for (let start = 0; start < items.length; start += size) await Promise.all(work(items.slice(start, start + size)));
}
