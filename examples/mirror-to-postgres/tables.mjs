// The mirror's tables and all that is written into them. A row has `seq`, the number of the change that it is up to date with: what came before is
// never written over it. `mirror` has the number that the whole of the mirror is up to date with, null before it is filled.
import pg from "pg";

// One after the other, where two programs start at once.
const TABLES = `
  select pg_advisory_xact_lock(hashtext('mirror'));
  create table if not exists mirror (tenant_id text primary key, seq bigint);
  create table if not exists users (
    id text primary key, user_name text not null, external_id text, display_name text, active boolean not null, data jsonb not null, seq bigint not null);
  create table if not exists groups (id text primary key, display_name text not null, external_id text, data jsonb not null, seq bigint not null);
  create table if not exists memberships (group_id text, member_id text, seq bigint not null, primary key (group_id, member_id));
  create index if not exists memberships_of on memberships (member_id);`;

const PUT_USERS = `
  insert into users (id, user_name, external_id, display_name, active, data, seq)
  select u->>'id', u->>'userName', u->>'externalId', u->>'displayName', coalesce((u->>'active')::boolean, true), u - 'meta', $2
  from jsonb_array_elements($1::jsonb) u
  on conflict (id) do update set user_name = excluded.user_name, external_id = excluded.external_id, display_name = excluded.display_name,
    active = excluded.active, data = excluded.data, seq = excluded.seq where users.seq < excluded.seq`;
const PUT_GROUPS = `
  insert into groups (id, display_name, external_id, data, seq)
  select g->>'id', g->>'displayName', g->>'externalId', g - 'meta' - 'members', $2
  from jsonb_array_elements($1::jsonb) g
  on conflict (id) do update set display_name = excluded.display_name, external_id = excluded.external_id, data = excluded.data,
    seq = excluded.seq where groups.seq < excluded.seq`;
const PUT_MEMBERS = `
  insert into memberships (group_id, member_id, seq)
  select distinct g->>'id', m->>'value', $2::bigint from jsonb_array_elements($1::jsonb) g, jsonb_array_elements(coalesce(g->'members', '[]')) m
  on conflict (group_id, member_id) do update set seq = excluded.seq where memberships.seq < excluded.seq`;
const DELETE_MEMBERS = `
  delete from memberships using jsonb_array_elements($1::jsonb) g, jsonb_array_elements(g->'members') m
  where group_id = g->>'id' and member_id = m->>'value' and seq < $2`;

/** What an event does: statements, each with the resource ([data] as JSON), or its id, as $1 and the event's number as $2. */
const EVENTS = {
  "user.created": [PUT_USERS],
  "user.updated": [PUT_USERS],
  "user.deactivated": [PUT_USERS],
  "user.reactivated": [PUT_USERS],
  "group.created": [PUT_GROUPS],
  "group.updated": [PUT_GROUPS],
  "group.member_added": [PUT_MEMBERS],
  "group.member_removed": [DELETE_MEMBERS],
};
/** Who is deleted is in no group any more; there are no events for that. */
const DELETIONS = {
  "user.deleted": ["delete from users where id = $1 and seq < $2", "delete from memberships where member_id = $1 and seq < $2"],
  "group.deleted": ["delete from groups where id = $1 and seq < $2", "delete from memberships where $1 in (group_id, member_id) and seq < $2"],
};

export class Tables {
  constructor(url, tenant) {
    this.pool = new pg.Pool({ connectionString: url });
    // A connection that breaks while it has nothing to do tells nobody else; the next query opens another, or fails.
    this.pool.on("error", () => {}).on("connect", (client) => client.on("error", () => {}));
    this.tenant = tenant;
  }

  async create() {
    await this.pool.query(TABLES);
    await this.pool.query("insert into mirror (tenant_id) select $1 where not exists (select from mirror) on conflict do nothing", [this.tenant]);
    const { rows } = await this.pool.query("select from mirror where tenant_id = $1", [this.tenant]);
    if (!rows.length) throw new Error("These tables mirror another tenant.");
  }

  /** The number that the mirror is up to date with; null where it has to be filled. */
  async number() {
    const { rows } = await this.pool.query("select seq from mirror");
    return rows[0].seq === null ? null : Number(rows[0].seq);
  }

  /** Notes that the mirror has to be filled anew. What is in it stays until then. */
  async forget() {
    await this.pool.query("update mirror set seq = null");
  }

  /**
   * Takes changes, { after, through, events }, and the number that the mirror then is up to date with, in one transaction. What was taken before does
   * nothing. False where changes are missing between the mirror's number and `after`: then nothing is done.
   */
  take({ after, through, events }) {
    return this.transaction(async (client, number) => {
      if (number === null || after > number) return false;
      for (const event of events) if (event.seq > number) await apply(client, event);
      await client.query("update mirror set seq = greatest(seq, $1)", [through]);
      return true;
    });
  }

  /**
   * Fills the mirror from lists of all users and groups, in one transaction: until it ends, readers see the mirror as it was. Pages are read one after
   * the other, and have different numbers; what happened between the first and the last comes from `changes`.
   */
  fill(pages, changes) {
    return this.transaction(async (client) => {
      // A row that no page has is one that has gone. Numbers begin anew too: those of a tenant that was restored are lower than they were.
      for (const table of ["users", "groups", "memberships"]) await client.query(`update ${table} set seq = -1`);
      let [first, last] = [undefined, 0];
      const put = async (statements, { resources, seq }) => {
        for (const statement of statements) await client.query(statement, [json(resources), seq]);
        first ??= seq;
        last = seq;
      };
      for await (const page of pages("/Users", "meta,groups")) await put([PUT_USERS], page);
      for await (const page of pages("/Groups", "meta")) await put([PUT_GROUPS, PUT_MEMBERS], page);
      for (const table of ["users", "groups", "memberships"]) await client.query(`delete from ${table} where seq = -1`);
      for (let more = true; more && first < last; ) {
        const page = await changes(first);
        for (const event of page.events) await apply(client, event);
        [first, more] = [page.through, page.more];
      }
      await client.query("update mirror set seq = $1", [first]);
      return first;
    });
  }

  /** One at a time: whoever has the row of `mirror` writes, also where this program runs twice. */
  async transaction(work) {
    const client = await this.pool.connect();
    let failed;
    try {
      await client.query("begin");
      const { rows } = await client.query("select seq from mirror for update");
      const result = await work(client, rows[0].seq === null ? null : Number(rows[0].seq));
      await client.query("commit");
      return result;
    } catch (error) {
      failed = error;
      throw error;
    } finally {
      // Closed after a failure, which rolls back.
      client.release(failed);
    }
  }
}

async function apply(client, { type, seq, resource, data }) {
  for (const statement of DELETIONS[type] ?? []) await client.query(statement, [resource.id, seq]);
  // Without `data`, it was deleted since and is not kept: its deletion comes.
  for (const statement of (data && EVENTS[type]) ?? []) await client.query(statement, [json([data]), seq]);
}

/** JSON that PostgreSQL takes: its texts have no U+0000. */
const json = (value) => JSON.stringify(value, (_, part) => (typeof part === "string" ? part.replaceAll("\0", "\ufffd") : part));
