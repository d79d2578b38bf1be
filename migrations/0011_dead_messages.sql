-- Messages of the queue that failed as often as they were tried: a few rows, dropped after 30 days.
create table dead_messages (
  -- Whose it is; empty where it does not say.
  tenant_id text not null,
  -- A UUIDv7: by its order they lie in the order of time.
  id text not null,
  kind text not null,
  -- What it said, cut.
  body text not null,
  at integer not null,
  primary key (tenant_id, id)
) strict, without rowid;
