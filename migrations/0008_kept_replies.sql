-- Replies to administrators' requests that came with an `Idempotency-Key`, each written in the batch that did what it tells of: the same
-- request sent again gets it, and does nothing a second time.

-- A reply may show a new token: it is sealed, and goes after a day or with the tenant that it is about.
create table kept_replies (
  -- The tenant that the administrator is limited to; '' for one of the platform.
  tenant_id text not null,
  -- SHA-256 of who asked and of the key.
  key_hash text not null,
  -- SHA-256 of the method, the address and the body: the same key with another request is refused.
  request_hash text not null,
  -- The tenant that something was made for.
  made_for text not null,
  -- Status, headers and body: sealed, in base64url, with the id of the key that sealed them beside them.
  reply text not null,
  reply_key_id text not null,
  expires_at integer not null,
  primary key (tenant_id, key_hash)
) strict, without rowid;

create index kept_replies_made_for_idx on kept_replies (tenant_id, made_for, expires_at);
