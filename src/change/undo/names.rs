//! Names that come back. They may go round among those who are taken back together; who else has one keeps it.

use super::found::{Around, Found};
use super::outcome::{Reason, Undo};
use super::target::{Target, Targets, Wanted};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::fold::name_key;
use crate::scim::profile::Profile;
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::store::unique::UniqueKey;

/// The name of a resource that no other may have.
pub fn key_of(
    profile: Profile,
    resource_type: &ResourceType,
    resource: &Resource,
) -> Option<(UniqueKey, String)> {
    let (unique, name) = match resource_type.name == GROUPS.name {
        true if profile.is_strict() => return None,
        true => (UniqueKey::GroupName, "displayName"),
        false => (UniqueKey::UserName, "userName"),
    };
    let name = resource.attributes.get(name)?.as_str()?;
    Some((unique, name_key(name)))
}

/// The name that somebody is to have and has not.
pub fn new_key(
    profile: Profile,
    wanted: &Wanted<'_>,
    found: &Found,
) -> Option<(UniqueKey, String)> {
    let resource_type = wanted.resource.resource_type;
    let Target::Was(was) = &wanted.target else {
        return None;
    };
    let key = key_of(profile, resource_type, &was.resource)?;
    let now = found.now.get(&wanted.resource.id);
    let now = now.and_then(|seen| key_of(profile, resource_type, &seen.resource));
    (now.as_ref() != Some(&key)).then_some(key)
}

/// Leaves those as they are whose names somebody else has; and so on, because they keep theirs then.
pub fn refuse_taken(
    undo: &mut Undo,
    profile: Profile,
    targets: &mut Targets<'_>,
    found: &Found,
    around: &Around,
) {
    loop {
        let moving: OrderedSet<&String> = targets
            .resources
            .iter()
            .filter(|wanted| {
                matches!(wanted.target, Target::Absent) || new_key(profile, wanted, found).is_some()
            })
            .map(|wanted| &wanted.resource.id)
            .collect();
        let mut taken: OrderedMap<(UniqueKey, String), &String> = OrderedMap::new();
        let mut refused: OrderedMap<String, String> = OrderedMap::new();
        for wanted in &targets.resources {
            let Some(key) = new_key(profile, wanted, found) else {
                continue;
            };
            let id = &wanted.resource.id;
            let holder = around.holders.get(&key);
            let holder = holder.filter(|holder| *holder != id && !moving.contains(holder));
            if let Some(holder) = holder.or(taken.get(&key).copied()) {
                refused.insert(id.clone(), format!("{holder} has its name now"));
            } else {
                taken.insert(key, id);
            }
        }
        if refused.is_empty() {
            return;
        }
        for wanted in &targets.resources {
            if let Some(detail) = refused.get(&wanted.resource.id) {
                let resource = wanted.resource;
                undo.conflict(
                    resource.resource_type,
                    &resource.id,
                    Reason::NameTaken,
                    detail,
                );
            }
        }
        let is_left = |id: &String| refused.contains_key(id);
        targets
            .resources
            .retain(|wanted| !is_left(&wanted.resource.id));
        targets
            .pairs
            .retain(|(group, member), _| !is_left(group) && !is_left(member));
    }
}
