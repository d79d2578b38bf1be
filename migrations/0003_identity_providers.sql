-- Identity providers of a tenant, and which of their groups stand for which groups of the tenant.

-- One row per provider, whatever its protocol. `config` and `attribute_mapping` are JSON as the API takes them, without secrets.
-- `secret` is the one secret that a provider has (`client_secret`, `bind_password`): sealed, in base64url, with the id of the key
-- that sealed it beside it. A deleted provider keeps its row and no secret.
create table identity_providers (
  tenant_id text not null,
  id text not null,
  name text not null,
  -- Folded: two providers of a tenant do not differ in case alone.
  name_key text not null,
  display_name text,
  protocol text not null check (protocol in ('OIDC', 'SAML', 'LDAP')),
  enabled integer not null,
  auto_create_users integer not null,
  update_user_on_login integer not null,
  config text not null,
  attribute_mapping text not null,
  allowed_domains text not null,
  secret text,
  secret_key_id text,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer,
  -- Grows with every change.
  revision integer not null,
  primary key (tenant_id, id)
) strict, without rowid;

create unique index identity_providers_name_unique on identity_providers (tenant_id, name_key)
  where deleted_at is null;

create table group_mappings (
  tenant_id text not null,
  idp_id text not null,
  id text not null,
  external_group_id text not null,
  external_group_name text,
  internal_group_id text not null,
  created_at integer not null,
  primary key (tenant_id, idp_id, id)
) strict, without rowid;

create unique index group_mappings_pair_unique on group_mappings (tenant_id, idp_id, external_group_id, internal_group_id);
create index group_mappings_internal_group_idx on group_mappings (tenant_id, internal_group_id);

-- A mapping goes with its group: ids are never given out twice, so it could not come to mean anything again.
create trigger group_mappings_follow_group after delete on groups
begin
  delete from group_mappings where tenant_id = old.tenant_id and internal_group_id = old.id;
end;

-- The tokens that die with a provider.
create index scim_tokens_idp_idx on scim_tokens (tenant_id, idp_id)
  where idp_id is not null;

-- `directory` learns a kind: the identity provider in an administrator's URL. A check cannot be changed in place, so the table
-- is made anew.
create table directory_with_providers (
  kind text not null check (kind in ('scim_token_hash', 'scim_token', 'identity_provider')),
  key text not null,
  tenant_id text not null,
  resource_id text not null,
  primary key (kind, key)
) strict, without rowid;

insert into directory_with_providers (kind, key, tenant_id, resource_id)
select kind, key, tenant_id, resource_id from directory;

drop table directory;

alter table directory_with_providers rename to directory;
