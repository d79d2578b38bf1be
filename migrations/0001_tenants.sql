-- Tenants, their SCIM tokens, and the directory.
--
-- Conventions of every migration: tables are strict and plural; times are integers, milliseconds since 1970; ids are text;
-- booleans are 0 and 1. The tenant's id is the first column of every key and of every index, so that no query can cost
-- more than its tenant holds. A worker runs against the schema before and after it while it is deployed: expand first,
-- contract in a later migration.

create table tenants (
  id text not null primary key,
  name text not null,
  scim_profile text not null,
  store_passwords integer not null,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer,
  -- Kept in the same batch as the rows they count, so that a list knows its total without counting.
  user_total integer not null default 0,
  group_total integer not null default 0,
  -- Number of the tenant's last audit event; the numbers have no gaps.
  audit_seq integer not null default 0
) strict, without rowid;

-- Only the SHA-256 of a token is here. `revision` grows with every change, so that what a cache knows of a token can be
-- checked by one number.
create table scim_tokens (
  tenant_id text not null,
  id text not null,
  token_hash text not null,
  token_hint text not null,
  name text not null,
  description text,
  scopes text not null,
  is_active integer not null,
  idp_id text,
  created_at integer not null,
  created_by text not null,
  updated_at integer not null,
  expires_at integer,
  last_used_at integer,
  revoked_at integer,
  revision integer not null,
  primary key (tenant_id, id)
) strict, without rowid;

-- Which tenant something belongs to, for what is named without its tenant: a token presented at `/scim/v2`, a token in an
-- administrator's URL. The one table whose key cannot begin with the tenant, because it answers with it.
create table directory (
  kind text not null check (kind in ('scim_token_hash', 'scim_token')),
  key text not null,
  tenant_id text not null,
  resource_id text not null,
  primary key (kind, key)
) strict, without rowid;

-- Inserting a word into this view raises the word as an error and so undoes the batch: a condition inside a batch,
-- where nothing can be decided between two statements.
create view guards as select '' as reason where false;

create trigger guards_raise instead of insert on guards
begin
  select raise(abort, new.reason);
end;
