-- The names under which users are shown as members of groups, in a table of short rows: a row of `users` is longer than what the database keeps
-- of it in one page, and to find a thousand of them takes ten times as long.

create table user_names (
  tenant_id text not null,
  id text not null,
  name text,
  primary key (tenant_id, id)
) strict, without rowid;

-- Whoever changes or deletes a user, also a worker from before this migration, changes its name here. Whom that one creates has no row, and is
-- looked up among the users.
create trigger user_names_of_changed after update of resource on users
when coalesce(json_extract(new.resource, '$.displayName'), json_extract(new.resource, '$.userName'))
  is not coalesce(json_extract(old.resource, '$.displayName'), json_extract(old.resource, '$.userName'))
begin
  insert into user_names (tenant_id, id, name)
  values (new.tenant_id, new.id, coalesce(json_extract(new.resource, '$.displayName'), json_extract(new.resource, '$.userName')))
  on conflict (tenant_id, id) do update set name = excluded.name;
end;

create trigger user_names_of_deleted after delete on users
begin
  delete from user_names where tenant_id = old.tenant_id and id = old.id;
end;

insert or ignore into user_names (tenant_id, id, name)
select tenant_id, id, coalesce(json_extract(resource, '$.displayName'), json_extract(resource, '$.userName')) from users;
