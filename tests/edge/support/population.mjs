// Tenants with thousands or a million of users and groups of given sizes, put straight into D1 by sets: through the API it would take
// minutes or days. The rows are made from one that the API made, so that they are what the worker itself writes.
import assert from "node:assert/strict";
import { ENTERPRISE, group, user } from "./resources.mjs";

/** A UUIDv7 of its own for each number, in the numbers' order. */
export const numberedId = (kind, number) => `${prefix(kind)}${number.toString(16).padStart(12, "0")}`;
export const userId = (number) => numberedId("1", number);
export const groupId = (number) => numberedId("2", number);
const prefix = (kind) => `01900000-${kind}000-7000-8000-`;

/** Digits of a number in names, so that names and numbers have one order up to ten million. */
const DIGITS = 7;
export const padded = (number) => String(number).padStart(DIGITS, "0");

/** What the number says of a user; each has two addresses, and a manager who leads ten. */
export const facts = (number) => factsOf(padded(number), number, number % 10 !== 0, userId(Math.floor(number / 10)));

const factsOf = (name, number, active, manager) => ({
  userName: `user-${name}@example.com`,
  externalId: `ext-${number}`,
  displayName: `Person ${name}`,
  nickName: `nick-${number}`,
  active,
  emails: [
    { type: "work", value: `work-${number}@example.com`, primary: true },
    { type: "home", value: `home-${number}@example.org` },
  ],
  [ENTERPRISE]: { employeeNumber: `E${number}`, manager: { value: manager } },
});

/** Rows of one statement: more, and D1 is long without a sign of life. */
const AT_ONCE = 20_000;
/** Numbers from ?1 to ?2, with the texts that a user's facts have of them. */
const NUMBERS = `with recursive numbers (number) as (select cast(?1 as integer) union all select number + 1 from numbers where number < cast(?2 as integer)),
  named as (select number, format('%0${DIGITS}d', number) as name, format('${prefix("1")}%012x', number / 10) as manager from numbers)`;
const USER_ID = `format('${prefix("1")}%012x', number)`;
/** A template with a user's own facts in place of the marks. */
const own = (template) => `replace(replace(replace(replace(${template}, 'markedname', name), 'markednumber', number), 'markedmanager', manager),
  '"active":true', iif(number % 10 = 0, '"active":false', '"active":true'))`;

/**
 * Fills tenants, each `{ scim, users, sizes, empty }`: that many users, one group for each of `sizes`, whose members are the first so many
 * users, and so many groups without members. Indexes are made afterwards, from rows in order.
 */
export async function populate(world, tenants, progress = () => {}) {
  const template = await rowsOf(world, tenants[0].scim, factsOf("markedname", "markednumber", true, "markedmanager"));
  const seven = await rowsOf(world, tenants[0].scim, facts(7));
  const indexes = await world.rows("select name, sql from sqlite_master where type = 'index' and sql is not null and tbl_name in ('users', 'user_emails', 'groups', 'group_members')");
  for (const { name } of indexes) await world.db.prepare(`drop index ${name}`).run();
  for (const tenant of tenants) await fill(world, tenant, template, progress);
  for (const [number, { sql }] of indexes.entries()) {
    progress("indexes", number, indexes.length);
    await world.db.prepare(sql).run();
  }
  const made = await world.row("select resource, keys from users where tenant_id = ?1 and id = ?2", tenants[0].scim.id, userId(7));
  assert.deepEqual({ ...made, emails: await emailsOf(world, tenants[0].scim, userId(7)) }, seven, "rows as the worker writes them");
}

async function fill(world, { scim, users, sizes, empty }, template, progress) {
  const started = Date.now() - users;
  await inRanges(users, progress, "users", (from, to) => [
    world.db
      .prepare(
        `insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys)
         ${NUMBERS} select ?3, ${USER_ID}, '', 1, cast(?4 as integer) + number, cast(?4 as integer) + number, ${own("?5")}, ${own("?6")} from named`,
      )
      .bind(from, to, scim.id, started, template.resource, template.keys),
    world.db
      .prepare("insert into user_names (tenant_id, id, name) select tenant_id, id, json_extract(resource, '$.displayName') from users where tenant_id = ?1 and id between ?2 and ?3")
      .bind(scim.id, userId(from), userId(to)),
    world.db
      .prepare(
        `insert into user_emails (tenant_id, value_key, user_id, type_key)
         select u.tenant_id, json_extract(e.value, '$.value'), u.id, json_extract(e.value, '$.type')
         from users u, json_each(u.keys, '$.emails') e where u.tenant_id = ?1 and u.id between ?2 and ?3`,
      )
      .bind(scim.id, userId(from), userId(to)),
  ]);
  for (const [number, size] of sizes.entries()) {
    await groups(world, scim, number, number, `Group of ${size}`, size);
    await inRanges(size, progress, `members of the group of ${size}`, (from, to) => [
      world.db
        .prepare(`insert into group_members (tenant_id, group_id, member_id, member_type) ${NUMBERS} select ?3, ?4, ${USER_ID}, 'User' from named`)
        .bind(from, to, scim.id, groupId(number)),
    ]);
  }
  if (empty) await groups(world, scim, sizes.length, sizes.length + empty - 1, "Empty markednumber", 0);
  await world.db
    .prepare("update tenants set user_total = user_total + ?2, group_total = group_total + ?3 where id = ?1")
    .bind(scim.id, users, sizes.length + empty)
    .run();
}

/** Groups of these numbers and of one size. */
async function groups(world, scim, from, to, displayName, size) {
  const { schemas } = group("");
  const resource = JSON.stringify({ schemas, displayName });
  const keys = JSON.stringify({ schemas, displayname: displayName.toLowerCase() });
  await world.db
    .prepare(
      `insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, resource, keys)
       ${NUMBERS} select ?3, format('${prefix("2")}%012x', number), '', 1, ?4, ?4, ?5, 1, ${own("?6")}, ${own("?7")} from named`,
    )
    .bind(from, to, scim.id, Date.now(), size, resource, keys)
    .run();
}

/** What the worker itself writes of a user. It is deleted again. */
async function rowsOf(world, scim, all) {
  const made = await scim.request("POST", "/Users", { body: { ...user(""), schemas: [user("").schemas[0], ENTERPRISE], ...all } });
  assert.equal(made.status, 201, made.text);
  const stored = await world.row("select resource, keys from users where tenant_id = ?1 and id = ?2", scim.id, made.body.id);
  const emails = await emailsOf(world, scim, made.body.id);
  assert.equal((await scim.request("DELETE", `/Users/${made.body.id}`)).status, 204);
  return { ...stored, emails };
}

const emailsOf = (world, scim, id) => world.rows("select value_key, type_key from user_emails where tenant_id = ?1 and user_id = ?2 order by value_key", scim.id, id);

async function inRanges(count, progress, what, statements) {
  for (let from = 0; from < count; from += AT_ONCE) {
    const to = Math.min(from + AT_ONCE, count) - 1;
    for (const statement of statements(from, to)) await statement.run();
    progress(what, to + 1, count);
  }
}
