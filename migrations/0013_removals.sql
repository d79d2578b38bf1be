-- What each credential has removed of a tenant, for the fuse (`removal_fuse`).

-- JSON, null where nobody has removed anything: by the credential's name in the audit trail, what it has removed since when.
alter table tenants add column removals text;
