-- What was before each change, for the history of a resource and for taking changes back; and how long what is recorded is kept.

-- One row per resource that a batch changed, written in that batch: what the resource was, and whose memberships came and went. A change of
-- very many memberships has further rows with a part of them each.
--
-- The key serves both ways to it: all that a request changed is a range of it, and a resource's events in `audit_events` name the request
-- and the number under which the rows are here.
create table revisions (
  tenant_id text not null,
  request_id text not null,
  -- Number of the event in the audit trail; of several of one resource in one batch, of the last.
  seq integer not null,
  -- '' for the first row.
  part text not null,
  resource_type text not null,
  resource_id text not null,
  -- What the row was; null where there was none, because the change made it.
  version integer,
  created_at integer,
  provider_id text,
  -- Null where only memberships changed.
  resource text,
  -- JSON, null where none changed: `came`, ids of members who were none before; `was`, pairs of the id of a member and of what `granted`
  -- was, of those who are no members any more or are so on other grounds; `in`, ids of groups that a deleted resource was in.
  memberships text,
  primary key (tenant_id, request_id, seq, part)
) strict, without rowid;

-- In days; 0 keeps nothing.
alter table tenants add column audit_days integer not null default 365;
alter table tenants add column history_days integer not null default 30;
alter table tenants add column requests_days integer not null default 30;
alter table tenants add column record_bodies integer not null default 1;
-- JSON: how much of the tenant one credential may remove in how many minutes; null for as much as it likes.
alter table tenants add column removal_fuse text default '{"percent":20,"at_least":50,"minutes":60}';
