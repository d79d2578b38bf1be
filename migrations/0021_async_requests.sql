-- SCIM requests that are answered before they are carried out (`Prefer: respond-async`), and what comes of them.

create table async_requests (
  tenant_id text not null,
  -- The id of the request, which its changes have in the audit trail, and its `Set-Txn` (RFC 9967 §3).
  id text not null,
  -- As in `audit_events`: `scim-token:<id>`, `jwt:<subject>`.
  actor text not null,
  method text not null,
  -- The pattern of its path.
  route text not null,
  -- Address, headers, and what its credential is found by: sealed, in base64url; null once it is over.
  head text,
  -- The key that sealed it and its parts.
  key_id text not null,
  status text not null check (status in ('running', 'done', 'failed')),
  -- After how many failures the rest is left undone; null for never.
  fail_on_errors integer,
  -- How many operations there are, how many are behind it, and how many of these failed.
  operations integer not null,
  done integer not null,
  failed integer not null,
  -- How many parts there are, and which comes next: each is one batch.
  parts integer not null,
  part integer not null,
  accepted_at integer not null,
  updated_at integer not null,
  finished_at integer,
  -- How often its message was sent anew since the last part, because nothing had been heard of it for long.
  resent integer not null default 0,
  primary key (tenant_id, id)
) strict, without rowid;

create index async_requests_running_idx on async_requests (tenant_id, updated_at) where status = 'running';

-- Bodies, or so many operations of a Bulk request each, which may have passwords: sealed as the head is, gone when they are carried out.
-- With rowids, so that the key is apart from the texts.
create table async_parts (
  tenant_id text not null,
  request_id text not null,
  number integer not null,
  body text not null,
  primary key (tenant_id, request_id, number)
) strict;

-- What came of each operation, by its number in the request.
create table async_results (
  tenant_id text not null,
  request_id text not null,
  number integer not null,
  -- JSON: an operation of a Bulk response (RFC 7644 §3.7.3).
  result text not null,
  primary key (tenant_id, request_id, number)
) strict, without rowid;
