// What has to hold of a tenant's rows after any requests in any order: nothing that is kept beside the resources disagrees with them.
import assert from "node:assert/strict";

export async function assertConsistent(world, { id }) {
  const tenant = await world.row("select * from tenants where id = ?1", id);
  const count = async (table) => (await world.row(`select count(*) as n from ${table} where tenant_id = ?1`, id)).n;
  assert.equal(tenant.user_total, await count("users"), "user_total is not the number of users");
  assert.equal(tenant.group_total, await count("groups"), "group_total is not the number of groups");

  const events = (await world.rows("select seq from audit_events where tenant_id = ?1 order by seq", id)).map(({ seq }) => seq);
  assert.deepEqual(events, events.map((_, index) => index + 1), "the numbers of the audit events have gaps");
  assert.equal(tenant.audit_seq, events.length, "audit_seq is not the last event's number");

  const groups = await world.rows(
    `select g.id, g.member_count, (select count(*) from group_members m where m.tenant_id = ?1 and m.group_id = g.id) as members
     from groups g where g.tenant_id = ?1`,
    id,
  );
  for (const { member_count, members } of groups) assert.equal(member_count, members, "member_count is not the number of members");
  const strays = await world.rows(
    `select m.member_id from group_members m where m.tenant_id = ?1 and not exists
     (select 1 from users u where u.tenant_id = ?1 and u.id = m.member_id union all select 1 from groups g where g.tenant_id = ?1 and g.id = m.member_id)`,
    id,
  );
  assert.deepEqual(strays, [], "members that are nobody");

  const emails = await world.rows("select user_id, value_key from user_emails where tenant_id = ?1", id);
  const users = await world.rows("select id, keys from users where tenant_id = ?1", id);
  const wanted = users.flatMap(({ id: user, keys }) => [...new Set((JSON.parse(keys).emails ?? []).map(({ value }) => `${user} ${value}`))]);
  assert.deepEqual([...new Set(emails.map(({ user_id, value_key }) => `${user_id} ${value_key}`))].sort(), wanted.sort(), "user_emails is not what the users have");

  assert.deepEqual(await world.rows("select * from guards"), [], "something stayed in the view of guards");
}

/** Every row of a tenant but its tokens, as text, for showing that nothing changed. */
export async function contents(world, { id }) {
  const tables = ["users", "user_emails", "groups", "group_members", "tombstones", "audit_events"];
  const all = await Promise.all(tables.map((table) => world.rows(`select * from ${table} where tenant_id = ?1`, id)));
  return JSON.stringify([all, await world.rows("select * from tenants where id = ?1", id)]);
}
