-- Undos of very many changes go by messages: how far each is, and what came of it so far.

create table undos (
  tenant_id text not null,
  -- The id of the request that asked for it, which its changes have in the audit trail.
  id text not null,
  actor text not null,
  status text not null check (status in ('running', 'succeeded', 'failed')),
  dry_run integer not null,
  -- How many parts there are, and which comes next: each is one batch.
  parts integer not null,
  part integer not null,
  -- JSON: what was done, and what was left.
  outcome text not null,
  started_at integer not null,
  updated_at integer not null,
  finished_at integer,
  -- How often its message was sent anew since the last part, because nothing had been heard of it for long.
  resent integer not null default 0,
  primary key (tenant_id, id)
) strict, without rowid;

create index undos_running_idx on undos (tenant_id, updated_at) where status = 'running';

-- What each part takes back; gone when it is done.
create table undo_parts (
  tenant_id text not null,
  undo_id text not null,
  number integer not null,
  -- JSON: changes as arrays of their number, request, and the type and id of their resource.
  body text not null,
  primary key (tenant_id, undo_id, number)
) strict, without rowid;
