-- `externalId` is the client's own, and any number of resources may have the same (RFC 7643 §3.1): its indexes find, and forbid nothing.
--
-- The worker before this migration names its index in each search by `externalId`, and a search by an index that is gone is an
-- error. So that none of its clients gets one while it runs, and if it has to come back, there is a plain index of the old name too.
-- Dropping that is for the migration of a later release; until then a resource with an `externalId` costs one row more to write.

drop index users_external_id_unique;
create index users_external_id_idx on users (tenant_id, external_id, id)
  where external_id is not null;
create index users_external_id_unique on users (tenant_id, external_id)
  where external_id is not null;

drop index groups_external_id_unique;
create index groups_external_id_idx on groups (tenant_id, external_id, id)
  where external_id is not null;
create index groups_external_id_unique on groups (tenant_id, external_id)
  where external_id is not null;
