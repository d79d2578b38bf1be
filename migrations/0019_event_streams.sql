-- Who is told of a tenant's changes: streams of events, how far each is, and what came of each delivery.

create table event_streams (
  tenant_id text not null,
  id text not null,
  name text not null,
  kind text not null check (kind in ('webhook', 'set_push', 'set_poll')),
  -- Where events are sent; null where they are fetched.
  url text,
  -- JSON: names of types of events, and patterns as in `user.*`.
  types text not null,
  -- Most events of one delivery.
  batch integer not null,
  is_active integer not null,
  -- What signs, sealed with the key of that id: JSON with the secret, and the one before it for as long as it signs too.
  secrets text,
  key_id text,
  -- Everything up to this number is delivered.
  after_seq integer not null,
  -- The last number of what is being tried: it is tried again as it is.
  pending_seq integer,
  failures integer not null default 0,
  failing_since integer,
  next_try_at integer,
  delivered_at integer,
  paused_at integer,
  paused_reason text,
  -- Who is delivering: the message, its own mark, and until when it is believed to be at it.
  run text,
  lease text,
  lease_until integer,
  created_at integer not null,
  created_by text not null,
  updated_at integer not null,
  revision integer not null,
  primary key (tenant_id, id)
) strict, without rowid;

create table deliveries (
  tenant_id text not null,
  -- A UUIDv7: by its order they lie in the order of time.
  id text not null,
  stream_id text not null,
  -- The `webhook-id`: the id of its first event.
  message_id text not null,
  first_seq integer not null,
  last_seq integer not null,
  events integer not null,
  -- Which try it was, from 1.
  attempt integer not null,
  -- The status of the reply; null where none came.
  status integer,
  -- Why it failed; null where it did not.
  reason text,
  ms integer not null,
  -- How the reply begins.
  reply text,
  at integer not null,
  primary key (tenant_id, id)
) strict, without rowid;

create index deliveries_stream_idx on deliveries (tenant_id, stream_id, id);

-- How many streams are to be sent what changes: whoever writes knows by it whether anybody has to be told.
alter table tenants add column push_streams integer not null default 0;

-- The end of a token that its tenant has been told of.
alter table scim_tokens add column told_of_end integer;
