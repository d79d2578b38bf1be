//! What resources are to be: what they were before the oldest of the changes that are taken back.

use super::found::Found;
use super::outcome::{Reason, Resourceful, Undo};
use crate::error::{Error, Result};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::scim::version::Version;
use crate::store::members::Pair;
use crate::store::revisions::Kept;

/// What a resource is to be.
#[derive(Debug, Clone)]
pub enum Target {
    /// As it is, but for its members.
    Same,
    /// Not there.
    Absent,
    Was(Was),
}

/// What a resource was.
#[derive(Debug, Clone)]
pub struct Was {
    pub version: Version,
    pub created: i64,
    pub provider_id: String,
    pub resource: Resource,
}

/// On what grounds somebody is to be a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// On none: they are to be no member.
    None,
    /// As `granted` was.
    Was(i64),
    /// As they would be now: the grounds went with the resource.
    Unknown,
}

/// A resource, and what it is to be.
#[derive(Debug)]
pub struct Wanted<'p> {
    pub resource: &'p Resourceful,
    pub target: Target,
}

/// What all is to be.
#[derive(Debug)]
pub struct Targets<'p> {
    pub resources: Vec<Wanted<'p>>,
    /// Memberships, by the group and the member.
    pub pairs: OrderedMap<Pair, Ground>,
}

impl Targets<'_> {
    /// The resources that are to be deleted, or to stay so.
    pub fn absent(&self) -> OrderedSet<&str> {
        let absent = self.resources.iter();
        let absent = absent.filter(|wanted| matches!(wanted.target, Target::Absent));
        absent.map(|wanted| wanted.resource.id.as_str()).collect()
    }

    /// The resources that come back, with their types.
    pub fn revived(&self, found: &Found) -> OrderedMap<&str, &'static ResourceType> {
        let back = self.resources.iter().filter(|wanted| {
            matches!(wanted.target, Target::Was(_)) && !found.now.contains_key(&wanted.resource.id)
        });
        back.map(|wanted| (wanted.resource.id.as_str(), wanted.resource.resource_type))
            .collect()
    }
}

/// What is to be, without what somebody else has changed since, and what was not kept. What the undo's `own` request has changed is its own
/// part of the work.
pub fn targets<'p>(
    undo: &mut Undo,
    part: &'p [Resourceful],
    found: &Found,
    own: &str,
) -> Result<Targets<'p>> {
    let mut resources = Vec::new();
    let mut memberships: Vec<(i64, Pair, Ground)> = Vec::new();
    for resource in part {
        let (resource_type, id) = (resource.resource_type, &resource.id);
        let since = found.since.get(id).into_iter().flatten();
        let mut others =
            since.filter(|(request, _)| request != own && !resource.requests.contains(request));
        if let Some((request, actor)) = others.next() {
            let detail = format!("{actor} changed it since, by the request {request}");
            undo.conflict(resource_type, id, Reason::ChangedSince, detail);
            continue;
        }
        let mut kept: Vec<&Kept> = found.kept.get(id).into_iter().flatten().collect();
        let is_kept = |request: &String| kept.iter().any(|kept| kept.request_id == *request);
        if !resource.requests.iter().all(is_kept) {
            let detail = "what it was before is not kept";
            undo.conflict(resource_type, id, Reason::NotKept, detail);
            continue;
        }
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.seq));
        let mut target = Target::Same;
        for kept in kept {
            match (kept.version, &kept.resource) {
                (None, _) => target = Target::Absent,
                (Some(version), Some(text)) => {
                    target = Target::Was(Was {
                        version: Version(version),
                        created: kept.created,
                        provider_id: kept.provider_id.clone(),
                        resource: Resource::from_stored(text)
                            .map_err(|error| Error::internal(format!("a revision: {error}")))?,
                    });
                }
                (Some(_), None) => {}
            }
            memberships.extend(pairs(resource_type, kept));
        }
        resources.push(Wanted { resource, target });
    }
    // The oldest has the last word.
    memberships.sort_by_key(|(seq, ..)| std::cmp::Reverse(*seq));
    let pairs = memberships
        .into_iter()
        .map(|(_, pair, ground)| (pair, ground));
    Ok(Targets {
        resources,
        pairs: pairs.collect(),
    })
}

/// What a change says of memberships, with its number.
fn pairs(resource_type: &ResourceType, kept: &Kept) -> Vec<(i64, Pair, Ground)> {
    let memberships = &kept.memberships;
    let of_group = |member: &String| (kept.id.clone(), member.clone());
    let mut pairs = Vec::new();
    if resource_type.name == GROUPS.name {
        let came = memberships.came.iter();
        pairs.extend(came.map(|id| (kept.seq, of_group(id), Ground::None)));
        let was = memberships.was.iter();
        pairs.extend(was.map(|(id, granted)| (kept.seq, of_group(id), Ground::Was(*granted))));
    }
    let within = memberships.within.iter();
    pairs.extend(within.map(|group| (kept.seq, (group.clone(), kept.id.clone()), Ground::Unknown)));
    pairs
}
