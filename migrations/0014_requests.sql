-- The journal: requests that changed something or were refused, and look-ups of a name that found nobody.

-- A request's id begins with the time at which it came, so the key is their order. A change's row is written in the batch of the change
-- and is one row: the other indexes have what was refused, and who was looked for or is gone by a name. The body comes last: it is not read
-- where it is not asked for.
create table requests (
  tenant_id text not null,
  id text not null,
  -- As in `audit_events`: `scim-token:<id>`, `jwt:<subject>`.
  actor text not null,
  method text not null,
  route text not null,
  path text not null,
  status integer not null,
  -- 1 where it was refused, or an operation of a Bulk request was.
  failed integer not null,
  scim_type text,
  detail text,
  -- Codes of what `compat` forgave, a JSON array.
  forgiven text not null,
  resource_type text,
  resource_id text,
  -- Whom it was about, as far as it says or the database knew.
  user_name text,
  -- The same folded, where the request is to be found by it: refused, a look-up that found nobody, a name that was given up.
  user_name_key text,
  duration_ms integer not null,
  d1_trips integer not null,
  -- Rows: null in a change's row, which is written before they are counted.
  d1_rows_read integer,
  d1_rows_written integer,
  -- The number of the tenant's last audit event before it: its own follow.
  seq integer not null,
  -- `whole`, `redacted`, `cut`, `none`, `unreadable` or `off`.
  body_state text not null,
  body text,
  primary key (tenant_id, id)
) strict, without rowid;

create index requests_failed_idx on requests (tenant_id, id) where failed = 1;
create index requests_failed_actor_idx on requests (tenant_id, actor, id) where failed = 1;
create index requests_failed_resource_idx on requests (tenant_id, resource_id, id) where failed = 1 and resource_id is not null;
create index requests_user_name_idx on requests (tenant_id, user_name_key, id) where user_name_key is not null;

-- How many refusals and look-ups there were in a minute, of which the first 600 are stored.
create table request_counts (
  tenant_id text not null,
  -- Minutes since 1970.
  minute integer not null,
  seen integer not null,
  primary key (tenant_id, minute)
) strict, without rowid;
