-- What the audit trail is read by. A tenant's numbers have no gaps, so a page is a range of numbers; these find where one begins, and
-- what is rare among many. A change that a SCIM token makes to users and groups writes to none of them, but for every 64th by time.

-- One event of 64, by time: it bounds a search by `since` and `until`, since events are numbered nearly in the order of their times.
create index audit_events_at_idx on audit_events (tenant_id, at, seq) where seq % 64 = 0;
-- What people did.
create index audit_events_people_idx on audit_events (tenant_id, actor, seq) where substr(actor, 1, 4) = 'jwt:';
-- What happened to anything but users and groups.
create index audit_events_nouns_idx on audit_events (tenant_id, resource_type, seq) where resource_type not in ('User', 'Group');
