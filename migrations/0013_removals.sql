-- What each credential has removed of a tenant, for the fuse (`removal_fuse`).

-- JSON, null where nobody has removed anything: by the credential's name in the audit trail, what it has removed since when.
alter table tenants add column removals text;

-- Whoever counts a removal that goes beyond the fuse says so in the same text; nothing of that batch is done.
create trigger tenants_fuse before update of removals on tenants when instr(new.removals, '"blown":1') > 0
begin
  select raise(abort, 'guard_fuse_blown');
end;
