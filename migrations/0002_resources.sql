-- Users, groups, memberships, what remains of deleted resources, and the audit trail.
--
-- A resource is a row with two JSON texts. `resource` is what a reply is made of, `schemas` first, without `id`, `meta` and
-- memberships. `keys` is what filters and sorting compare: names in lower case, strings folded in Rust, because SQL folds
-- ASCII letters only. The columns searched by an index are generated from `keys`, so they cannot disagree with it.

create table users (
  tenant_id text not null,
  id text not null,
  -- The identity provider whose `externalId` this is; empty where the client has none.
  provider_id text not null,
  version integer not null,
  created_at integer not null,
  modified_at integer not null,
  password_hash text,
  resource text not null,
  keys text not null,
  user_name_key text generated always as (json_extract(keys, '$.username')) virtual,
  external_id text generated always as (json_extract(keys, '$.externalid')) virtual,
  display_name_key text generated always as (json_extract(keys, '$.displayname')) virtual,
  active integer generated always as (json_extract(keys, '$.active')) virtual,
  employee_number_key text generated always as (json_extract(keys, '$.enterprise.employeenumber')) virtual,
  manager_id text generated always as (json_extract(keys, '$.enterprise.manager.value')) virtual,
  primary key (tenant_id, id)
) strict, without rowid;

-- For skipping to a page by its number without reading the rows before it.
create index users_id_idx on users (tenant_id, id);
create unique index users_user_name_unique on users (tenant_id, user_name_key);
create unique index users_external_id_unique on users (tenant_id, external_id, provider_id)
  where external_id is not null;
create index users_display_name_idx on users (tenant_id, display_name_key, id)
  where display_name_key is not null;
create index users_employee_number_idx on users (tenant_id, employee_number_key, id)
  where employee_number_key is not null;
create index users_manager_idx on users (tenant_id, manager_id, id)
  where manager_id is not null;
create index users_modified_idx on users (tenant_id, modified_at, id);

-- E-mail addresses by value: the one multi-valued attribute that clients look users up by.
create table user_emails (
  tenant_id text not null,
  value_key text not null,
  user_id text not null,
  type_key text not null,
  primary key (tenant_id, value_key, user_id, type_key)
) strict, without rowid;

create index user_emails_user_idx on user_emails (tenant_id, user_id);

create table groups (
  tenant_id text not null,
  id text not null,
  provider_id text not null,
  version integer not null,
  created_at integer not null,
  modified_at integer not null,
  member_count integer not null,
  -- Whether the name has to be the only one of its kind in the tenant: clients of the `compat` profile rely on that.
  unique_name integer not null,
  resource text not null,
  keys text not null,
  display_name_key text generated always as (json_extract(keys, '$.displayname')) virtual,
  unique_name_key text generated always as (iif(unique_name, json_extract(keys, '$.displayname'), null)) virtual,
  external_id text generated always as (json_extract(keys, '$.externalid')) virtual,
  primary key (tenant_id, id)
) strict, without rowid;

create index groups_id_idx on groups (tenant_id, id);
create index groups_display_name_idx on groups (tenant_id, display_name_key, id);
create unique index groups_unique_name_unique on groups (tenant_id, unique_name_key)
  where unique_name_key is not null;
create unique index groups_external_id_unique on groups (tenant_id, external_id, provider_id)
  where external_id is not null;
create index groups_modified_idx on groups (tenant_id, modified_at, id);

-- Direct members only; what follows from groups in groups is derived when it is asked for.
create table group_members (
  tenant_id text not null,
  group_id text not null,
  member_id text not null,
  member_type text not null check (member_type in ('User', 'Group')),
  primary key (tenant_id, group_id, member_id)
) strict, without rowid;

create index group_members_member_idx on group_members (tenant_id, member_id, group_id);
-- Groups in groups, from the inner one to the outer and back: few, whatever else the groups hold.
create index group_members_nested_idx on group_members (tenant_id, member_id, group_id)
  where member_type = 'Group';
create index group_members_inner_idx on group_members (tenant_id, group_id, member_id)
  where member_type = 'Group';

-- What deleted resources leave behind, for those who ask what changed.
create table tombstones (
  tenant_id text not null,
  resource_type text not null,
  id text not null,
  external_id text,
  deleted_at integer not null,
  primary key (tenant_id, resource_type, id)
) strict, without rowid;

-- One row per change, in the same batch as the change, numbered per tenant without gaps. Attribute names, never values.
create table audit_events (
  tenant_id text not null,
  seq integer not null,
  at integer not null,
  actor text not null,
  action text not null,
  resource_type text not null,
  resource_id text not null,
  attributes text not null,
  request_id text not null,
  primary key (tenant_id, seq)
) strict, without rowid;
