-- Keys of values are normalised now, not folded alone (RFC 7644 §5). Rows from before keep theirs until they are written again, or until
-- the clock's next ticks bring them over. Which these are, their keys say: new ones that are more than plain ASCII have `form` in them,
-- which a worker from before this migration does not write. `form` 2 is a row whose name another row has by the new key: it keeps the old
-- one. Keys in plain ASCII, without a space at the end of a text, are the same before and after.

create index users_keys_form_idx on users (tenant_id, id)
  where json_extract(keys, '$.form') is null and (keys glob '*[^ -~]*' or keys glob '*" *' or keys glob '* "*');
create index groups_keys_form_idx on groups (tenant_id, id)
  where json_extract(keys, '$.form') is null and (keys glob '*[^ -~]*' or keys glob '*" *' or keys glob '* "*');
