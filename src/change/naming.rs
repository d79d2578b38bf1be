//! Names that no two may have: whether a new one is free, as far as it is known.

use super::author::Mandate;
use super::plan::Plan;
use super::refusal::{taken, taken_by_inactive};
use crate::error::Result;
use crate::scim::resource::Resource;
use crate::scim::schema::ResourceType;

impl Plan<'_> {
    /// 409 where somebody has the name of a new resource. A POST takes nobody over; where the one who has the name is inactive, it says
    /// how to switch them on.
    pub(super) fn refuse_taken(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        resource: &Resource,
    ) -> Result<()> {
        let Some((unique, key, name)) = self.account.unique_key(resource_type, resource) else {
            return Ok(());
        };
        if self.account.terms.mandate == Mandate::Administrator {
            // Names go round in an undo: who has them was looked at before it, for all of them together.
            return Ok(());
        }
        match self.account.holder(unique, &key) {
            Some(holder) if holder.id != id => Err(match holder.can_be_activated {
                true => taken_by_inactive(&self.account.terms.base, &holder.id),
                false => taken(name),
            }),
            _ => Ok(()),
        }
    }

    /// 409 where somebody else has the name that a resource is given.
    pub(super) fn refuse_rename(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        before: &Resource,
        after: &Resource,
    ) -> Result<()> {
        let kept = self.account.unique_key(resource_type, before);
        let wanted = self.account.unique_key(resource_type, after);
        match wanted {
            _ if self.account.terms.mandate == Mandate::Administrator => Ok(()),
            Some((unique, key, name)) if kept.as_ref().map(|(_, kept, _)| kept) != Some(&key) => {
                match self.account.holder(unique, &key) {
                    Some(holder) if holder.id != id => Err(taken(name)),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
