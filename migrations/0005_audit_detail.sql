-- What an event of the audit trail says beside the names of attributes, and the events of one resource by an index.

-- JSON, null where there is nothing to say: `{"active": false}` where a user was switched off; of a group whose members changed
-- `{"members": {"added": […], "added_total": 2, "removed": […], "removed_total": 0}}`, with the first 1,000 ids of each.
alter table audit_events add column detail text;

create index audit_events_resource_idx on audit_events (tenant_id, resource_id, seq);
