//! The steps of a piece, once it is its turn: what is there is read, and compared with what is to be.

use std::collections::HashMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::digest::Digest;
use super::failure::Failure;
use super::object::{Action, Kind, Note};
use super::session::Session;
use super::staged::{Gone, Staged};
use super::survey::Fate;
use crate::change::Seen;
use crate::scim::render::Stored;
use crate::scim::resource::{self, Resource};
use crate::scim::version::Version;
use crate::store::directory_entries::State;
use crate::store::resources;

/// What is known of an entry from now on.
pub struct Link {
    pub member_key: Digest,
    pub digest: Digest,
    pub members_digest: Digest,
    pub state: State,
}

/// What is to be done with one resource, or only with what is known of its entry.
pub struct Step {
    pub kind: Kind,
    /// None where only the link changes.
    pub action: Option<Action>,
    pub unique_id: Box<str>,
    pub dn: Option<Box<str>>,
    pub name: Option<Box<str>>,
    pub resource: Uuid,
    /// The resource as it is to be stored; none where none is.
    pub text: Option<Box<str>>,
    /// The version that is there; 0 for a new resource.
    pub version: i64,
    created: i64,
    /// Names of the attributes that change; none of a new resource, which has them all.
    attributes: Vec<String>,
    /// The e-mail addresses that it had, where it gets others.
    addresses: Option<Json>,
    /// None where nothing is known any more.
    pub link: Option<Link>,
}

impl Step {
    /// The entry in the log; none where only the link changes.
    pub fn note(&self) -> Option<Note> {
        let action = self.action?;
        let inactive = action == Action::Deactivated && self.text.is_none();
        Some(Note {
            kind: self.kind,
            action,
            unique_id: Some(self.unique_id.clone()),
            dn: self.dn.clone(),
            name: self.name.clone(),
            resource_id: Some(self.resource.to_string()),
            reason: inactive.then(|| "the user was inactive already".to_owned()),
        })
    }

    /// What was read of a resource, told from what it is to be: which attributes are others, and the addresses that it had.
    pub fn before(&self, after: &Resource) -> Seen {
        let mut before = after.clone();
        for name in &self.attributes {
            let is_new = after.attributes.contains_key(name);
            before.attributes.remove(name);
            if !is_new {
                before.attributes.insert(name.clone(), Json::Null);
            }
        }
        if let Some(addresses) = &self.addresses {
            let name = "emails".to_owned();
            before.attributes.insert(name, addresses.clone());
        }
        Seen::told(
            self.kind.resource_type(),
            self.resource.to_string(),
            Version(self.version),
            self.created,
            before,
        )
    }
}

/// The steps of objects.
pub async fn of_objects(session: &Session<'_>, objects: &[Staged]) -> Result<Vec<Step>, Failure> {
    let read = objects.iter().filter(|object| object.fate == Fate::Update);
    let read = read.map(|object| (object.kind, object.resource));
    let mut stored = stored(session, read.collect()).await?;
    let steps = objects.iter().map(|object| {
        let found = stored.remove(&object.resource);
        of_object(session, object, found.as_ref())
    });
    steps.collect()
}

fn of_object(
    session: &Session<'_>,
    object: &Staged,
    found: Option<&Stored>,
) -> Result<Step, Failure> {
    let mut step = Step {
        kind: object.kind,
        action: None,
        unique_id: object.unique_id.clone(),
        dn: Some(object.dn.clone()),
        name: Some(object.name.clone()),
        resource: object.resource,
        text: None,
        version: 0,
        created: session.now(),
        attributes: Vec::new(),
        addresses: None,
        link: None,
    };
    let mut link = Link {
        member_key: object.member_key,
        digest: object.digest,
        members_digest: object.members_digest,
        state: State::Present,
    };
    step.action = match (object.fate, found) {
        (Fate::Relinked, _) => None,
        // What the link says is gone: it is made again, under the same id.
        (_, None) => {
            link.members_digest = Digest::default();
            Some(Action::Created)
        }
        (_, Some(found)) => {
            let before = Resource::from_stored(&found.resource)
                .map_err(|error| unreadable(object.kind, &found.id, &error))?;
            let after = Resource::from_stored(&object.text)
                .map_err(|error| unreadable(object.kind, &found.id, &error))?;
            step.version = found.version.0;
            step.created = found.created;
            step.attributes = resource::differing(&before, &after);
            let changes = |name: &str| step.attributes.iter().any(|changed| changed == name);
            let addresses = before.attributes.get("emails").cloned();
            step.addresses = changes("emails").then(|| addresses.unwrap_or_default());
            let inactive = before.attributes.get("active") == Some(&Json::Bool(false));
            let back = object.state == Some(State::Deactivated) && inactive && changes("active");
            match (step.attributes.is_empty(), back) {
                (true, _) => None,
                (false, true) => Some(Action::Reactivated),
                (false, false) => Some(Action::Updated),
            }
        }
    };
    step.text = step.action.map(|_| object.text.clone());
    step.link = Some(link);
    Ok(step)
}

/// The steps of entries that are gone.
pub async fn of_gone(session: &Session<'_>, gone: Vec<Gone>) -> Result<Vec<Step>, Failure> {
    let read = gone.iter().filter(|gone| gone.action != Action::Kept);
    let read = read.map(|gone| (gone.kind, gone.resource));
    let mut stored = stored(session, read.collect()).await?;
    let steps = gone.into_iter().map(|gone| {
        let found = stored.remove(&gone.resource);
        of_one_gone(gone, found.as_ref())
    });
    steps.collect()
}

fn of_one_gone(gone: Gone, found: Option<&Stored>) -> Result<Step, Failure> {
    let mut step = Step {
        kind: gone.kind,
        action: Some(gone.action),
        unique_id: gone.unique_id,
        dn: None,
        name: None,
        resource: gone.resource,
        text: None,
        version: found.map_or(0, |found| found.version.0),
        created: found.map_or(0, |found| found.created),
        attributes: Vec::new(),
        addresses: None,
        link: None,
    };
    let state = match gone.action {
        // A resource that is not there any more leaves only its link to be forgotten.
        Action::Deleted => {
            step.action = found.map(|_| gone.action);
            return Ok(step);
        }
        Action::Deactivated => State::Deactivated,
        _ => State::Kept,
    };
    step.link = Some(Link {
        member_key: gone.member_key,
        digest: gone.digest,
        members_digest: gone.members_digest,
        state,
    });
    if let Some(found) = found.filter(|_| state == State::Deactivated) {
        let mut resource = Resource::from_stored(&found.resource)
            .map_err(|error| unreadable(gone.kind, &found.id, &error))?;
        let active = "active".to_owned();
        if resource.attributes.get(&active) != Some(&Json::Bool(false)) {
            resource
                .attributes
                .insert(active.clone(), Json::Bool(false));
            step.attributes = vec![active];
            step.text = Some(resource.to_stored(gone.kind.resource_type()).into());
        }
    }
    Ok(step)
}

fn unreadable(kind: Kind, id: &str, error: &serde_json::Error) -> Failure {
    Failure::Store(crate::store::Error::Backend(format!(
        "stored {} {id}: {error}",
        kind.name()
    )))
}

/// Reads resources.
async fn stored(
    session: &Session<'_>,
    wanted: Vec<(Kind, Uuid)>,
) -> Result<HashMap<Uuid, Stored>, Failure> {
    let mut batch = Vec::new();
    let mut kinds = Vec::new();
    for kind in [Kind::User, Kind::Group] {
        let of_kind = wanted.iter().filter(|(found, _)| *found == kind);
        let ids: Vec<String> = of_kind.map(|(_, id)| id.to_string()).collect();
        let resource_type = kind.resource_type();
        for statement in resources::select_many(&session.tenant, resource_type, &ids) {
            batch.push(statement);
            kinds.push(resource_type);
        }
    }
    let mut stored = HashMap::with_capacity(wanted.len());
    for (resource_type, rows) in kinds.into_iter().zip(&session.read(batch).await?) {
        for row in &rows.rows {
            let one = resources::stored(resource_type, row)?;
            stored.insert(Uuid::try_parse(&one.id).unwrap_or_default(), one);
        }
    }
    Ok(stored)
}
