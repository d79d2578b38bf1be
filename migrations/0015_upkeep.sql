-- When each tenant's rows whose time is over are looked for.

-- Milliseconds; null of a deleted tenant of which nothing is left but its id.
alter table tenants add column upkeep_at integer default 0;

create index tenants_upkeep_idx on tenants (upkeep_at) where upkeep_at is not null;
