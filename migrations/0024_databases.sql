-- Tenants live in several databases, all with this schema. What stands here is used in the first one, `DB`, unless it says otherwise.

-- Where a tenant lives, by the name of the database; in the first one where there is no row.
create table placements (
  tenant_id text not null,
  database text not null,
  primary key (tenant_id)
) strict, without rowid;

-- A tenant's move from one database to another, the last one.
create table moves (
  tenant_id text not null,
  id text not null,
  source text not null,
  target text not null,
  status text not null check (status in ('copying', 'catching_up', 'checking', 'switching', 'purging', 'done', 'cancelling', 'cancelled', 'failed')),
  -- Grows with each message that works on the move: one that comes late has an older number, and may do nothing more.
  mark integer not null default 0,
  -- JSON: how far it is.
  state text not null,
  -- JSON: the tenant's own row, kept from before it leaves one database until it is in the other.
  tenant_row text,
  actor text not null,
  reason text,
  started_at integer not null,
  updated_at integer not null,
  finished_at integer,
  resent integer not null default 0,
  primary key (tenant_id)
) strict, without rowid;

create index moves_running_idx on moves (tenant_id, updated_at) where status not in ('done', 'cancelled', 'failed');

-- In both databases of a move: the mark of the message that may write there.
create table move_fences (
  tenant_id text not null,
  mark integer not null,
  primary key (tenant_id)
) strict, without rowid;

-- In the database that a tenant moves out of: the rows that were written meanwhile, by triggers that are made for the move.
create table moved_rows (
  tenant_id text not null,
  number integer not null,
  table_name text not null,
  -- JSON: what the row's key has behind the tenant's id.
  key text not null,
  primary key (tenant_id, number)
) strict, without rowid;

-- What leads to a tenant goes with it.
create index directory_tenant_idx on directory (tenant_id, kind, key);
