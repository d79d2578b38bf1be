-- What LDAP directories have put here, the runs that did it, and the memberships that group mappings give.

-- The identity provider whose directory manages the resource; null for those of SCIM clients. Generated from `keys` like the other
-- columns, so that what a reply says and what a guard checks cannot disagree.
alter table users add column managed_by text generated always as (json_extract(keys, '$.managed.managedby')) virtual;
alter table groups add column managed_by text generated always as (json_extract(keys, '$.managed.managedby')) virtual;

-- The link between an entry of a directory and a resource, by the entry's unique id and by nothing else. A DN moves, a name
-- changes; both are here only to be looked up by: `dn_key` is a hash of the DN in its normal form. `digest` is a hash of what the
-- entry was mapped to, `members_digest` one of a group's members, so that what did not change is known without being read.
create table directory_entries (
  tenant_id text not null,
  idp_id text not null,
  unique_id text not null,
  resource_type text not null check (resource_type in ('User', 'Group')),
  resource_id text not null,
  dn_key text not null,
  digest text not null,
  members_digest text not null,
  -- `present`; `deactivated` where the entry is gone and the sync has deactivated the user; `kept` where it is gone and was left.
  state text not null check (state in ('present', 'deactivated', 'kept')),
  primary key (tenant_id, idp_id, unique_id)
) strict, without rowid;

create index directory_entries_dn_idx on directory_entries (tenant_id, idp_id, dn_key);

-- What is known of a provider's syncs, and the lease of the one under way: `log_id` is null where none is. A run holds the lease in
-- every batch that it writes; one that died holds it until `expires_at`.
create table directory_syncs (
  tenant_id text not null,
  idp_id text not null,
  log_id text,
  expires_at integer,
  started_at integer not null,
  -- The server's own modifyTimestamp from which on a sync of changes reads; null where only full ones do.
  watermark text,
  -- The last sync that read the whole directory, and a hash of the configuration that it read by.
  full_at integer,
  config_digest text,
  -- When the last sync succeeded.
  synced_at integer,
  primary key (tenant_id, idp_id)
) strict, without rowid;

-- One row per run.
create table sync_logs (
  tenant_id text not null,
  idp_id text not null,
  id text not null,
  started_by text not null check (started_by in ('manual', 'scheduled')),
  actor text not null,
  mode text not null check (mode in ('full', 'changes')),
  status text not null check (status in ('running', 'succeeded', 'stopped', 'failed')),
  -- JSON: so far, while it runs.
  counts text not null,
  reason text,
  started_at integer not null,
  finished_at integer,
  primary key (tenant_id, idp_id, id)
) strict, without rowid;

-- One row per object that a run changed, or could not: numbered within the run.
create table sync_entries (
  tenant_id text not null,
  log_id text not null,
  seq integer not null,
  resource_type text not null,
  action text not null,
  unique_id text,
  dn text,
  name text,
  resource_id text,
  reason text,
  primary key (tenant_id, log_id, seq)
) strict, without rowid;

-- Who says that somebody is a member: 0 a client or a directory, directly; 1 group mappings alone; 2 both.
alter table group_members add column granted integer not null default 0;

-- Which mapping gives which membership. A membership that a client takes away leaves its row here until the next sync, which gives it
-- anew or forgets it.
create table mapping_grants (
  tenant_id text not null,
  group_id text not null,
  member_id text not null,
  mapping_id text not null,
  idp_id text not null,
  primary key (tenant_id, group_id, member_id, mapping_id)
) strict, without rowid;

create index mapping_grants_mapping_idx on mapping_grants (tenant_id, idp_id, mapping_id);
