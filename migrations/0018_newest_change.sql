-- The latest modifyTimestamp that a provider's readings have seen: what it names was there before the next reading began.
alter table directory_syncs add column newest text;
