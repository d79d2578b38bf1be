//! A deleted resource comes back: under its old id, as it was, with its members.

use super::audit::Action;
use super::intent::{Intent, Reverted};
use super::plan::Plan;
use super::state::Effect;
use crate::error::Result;
use crate::scim::version::Version;

impl Plan<'_> {
    /// What comes of an intent that brings a resource back. Its version goes on from the last one: nobody takes it for what they know.
    pub(super) fn revive(
        &mut self,
        index: usize,
        intent: &Intent,
        reverted: &Reverted,
    ) -> Result<Effect> {
        let resource = reverted.resource.clone().unwrap_or_default();
        let mut effect = self.create(index, intent, resource)?;
        let state = &mut effect.state;
        state.version = Version(reverted.version.0 + 1);
        state.created = reverted.created;
        state.provider_id = Some(reverted.provider_id.clone().unwrap_or_default());
        let mut members = self.plan_members(index, &intent.id, state, &reverted.members)?;
        members.regrade.extend(reverted.grounds.clone());
        if let Some((action, attributes, detail)) = &mut effect.event {
            *action = Action::Restore;
            if members.is_seen(&self.account.terms.mandate) {
                attributes.push("members".to_owned());
                *detail = members.detail();
            }
        }
        effect.state.members.then(members);
        Ok(effect)
    }
}
