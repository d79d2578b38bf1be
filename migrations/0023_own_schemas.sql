-- Schemas that a tenant has of its own, declared by an administrator or learned from what its identity provider sends.

create table own_schemas (
  tenant_id text not null,
  -- The URN, which has no case.
  id text not null collate nocase,
  -- `id`, `resource_type`, `name`, `description`, `attributes` (RFC 7643 §7) and `learned`, as JSON.
  document text not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (tenant_id, id)
) strict, without rowid;

-- Grows with every change of them; what a worker remembers of a tenant holds as long as it is the same.
alter table tenants add column schemas_revision integer not null default 0;
-- `learn` or `drop`: what becomes of values under a URN that is in no schema. None for what the profile does.
alter table tenants add column unknown_extensions text;

-- Values of own attributes by which resources are looked up.
create table own_values (
  tenant_id text not null,
  -- The attribute's path, in lower case.
  attribute text not null,
  -- As filters compare it.
  value text not null,
  resource_id text not null,
  primary key (tenant_id, attribute, value, resource_id)
) strict, without rowid;

create index own_values_resource_idx on own_values (tenant_id, resource_id);

-- `roles` and `entitlements` that there are, each a list, as JSON; none where the tenant says nothing of them.
alter table tenants add column assignable text;
