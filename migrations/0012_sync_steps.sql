-- Syncs go by steps: what a run has come to between the messages of its chain, and what it has staged. A dry run is in the log too.

-- A check cannot be changed in place, so the table is made anew.
create table sync_logs_with_steps (
  tenant_id text not null,
  idp_id text not null,
  id text not null,
  started_by text not null check (started_by in ('manual', 'scheduled')),
  actor text not null,
  mode text not null check (mode in ('full', 'changes')),
  status text not null check (status in ('running', 'succeeded', 'stopped', 'failed', 'planned')),
  -- JSON: so far, while it runs.
  counts text not null,
  reason text,
  started_at integer not null,
  finished_at integer,
  -- Whether it only tells what would be done.
  dry_run integer not null default 0,
  -- How often the run was taken over by a message: whoever has an older number writes nothing more.
  epoch integer not null default 0,
  -- The step that comes next; each batch of a run makes one.
  step integer not null default 0,
  -- JSON: what was asked for, and what the next message has to know; null of a run that does not go by messages.
  state text,
  -- How often its message was sent anew, because nothing had been heard of the run for long.
  resent integer not null default 0,
  primary key (tenant_id, idp_id, id)
) strict, without rowid;

insert into sync_logs_with_steps (tenant_id, idp_id, id, started_by, actor, mode, status, counts, reason, started_at, finished_at)
select tenant_id, idp_id, id, started_by, actor, mode, status, counts, reason, started_at, finished_at from sync_logs;

drop table sync_logs;

alter table sync_logs_with_steps rename to sync_logs;

-- What a run has read and is going to do, hundreds of objects in a row; gone when the run is over. `kind` is what the text is, `number`
-- counts within a kind, and a text that is too long for a row is split over parts. With rowids, and so with a key apart from the texts: to
-- find its way in a table without them, SQLite reads whole rows, of a megabyte each here.
create table sync_chunks (
  tenant_id text not null,
  log_id text not null,
  kind text not null,
  number integer not null,
  part integer not null,
  body text not null,
  primary key (tenant_id, log_id, kind, number, part)
) strict;
