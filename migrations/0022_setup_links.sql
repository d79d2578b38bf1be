-- Links by which a customer's administrator, who has no account here, sets a tenant up.

create table setup_links (
  tenant_id text not null,
  id text not null,
  -- The SHA-256 of the link's secret, in hexadecimal. The link itself is kept nowhere.
  hash text not null,
  -- What it opens: names between spaces.
  allows text not null,
  created_at integer not null,
  created_by text not null,
  expires_at integer not null,
  last_used_at integer,
  primary key (tenant_id, id)
) strict, without rowid;

create unique index setup_links_hash_idx on setup_links (tenant_id, hash);

-- What the page that a link opens is headed with: the product's name, and its colour as `#` and six hexadecimal digits.
alter table tenants add column product_name text;
alter table tenants add column product_color text;
