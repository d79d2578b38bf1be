-- Security event tokens (RFC 9967): the keys that sign them, and what streams of them say besides.

create table signing_keys (
  -- The `kid` of what it signs.
  id text not null,
  -- The public key as it is published: a member of a JWKS.
  published text not null,
  -- The private key, a JWK, sealed with the encryption key of that id.
  private text not null,
  key_id text not null,
  created_at integer not null,
  -- From when on it signs, until the next one does.
  signs_from integer not null,
  primary key (id)
) strict, without rowid;

-- Of streams of tokens: their `aud` and `iss`, and whether they carry data (`full`) or names of attributes (`notice`).
alter table event_streams add column audience text;
alter table event_streams add column issuer text;
alter table event_streams add column payload text;
-- JSON: ids of events after `after_seq` that a receiver who polls has acknowledged, where some before them are not.
alter table event_streams add column acknowledged text;
