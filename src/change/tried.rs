//! What a batch that was only tried would have come to: it was undone, so that what it would have left is worked out.

use serde_json::{Value as Json, json};

use super::plan::Plan;
use super::request::{Shown, Written};
use super::sending::Work;
use super::state::{Base, State};
use super::versions;
use crate::error::{Error, Result};
use crate::ordered::OrderedMap;
use crate::scim::render::Stored;
use crate::scim::schema::GROUPS;
use crate::scim::version::Version;
use crate::store::resources::{self, Memberships};
use crate::store::{Rows, members, rows_at};

impl Work<'_> {
    /// The end of a plan whose batch holds and was undone.
    pub async fn tried(&self, mut plan: Plan<'_>, worked_out: Option<Stored>) -> Result<Written> {
        let mut outcomes = std::mem::take(&mut plan.outcomes);
        let shown = match (self.alone, self.request.show, worked_out) {
            (Some(_), _, Some(stored)) => Some(Shown { stored, held: None }),
            (Some(intent), Some(memberships), None) => {
                let key = (intent.resource_type.name, intent.id.clone());
                match plan.account.states.get(&key).filter(|state| state.alive) {
                    Some(state) => Some(self.as_group(&intent.id, state, memberships).await?),
                    None => None,
                }
            }
            (Some(_), None, None) => None,
            (None, ..) => {
                let told = versions::ask_before(&plan);
                let before = match told.is_empty() {
                    true => Vec::new(),
                    false => self.author.read(told).await?,
                };
                versions::correct(&mut outcomes, &plan, &before, &[])?;
                None
            }
        };
        if let (Some(shown), Some(Ok(done))) = (&shown, outcomes.first_mut()) {
            done.version = Some(shown.stored.version);
        }
        Ok(Written { outcomes, shown })
    }

    /// A group as it would be.
    async fn as_group(&self, id: &str, state: &State, wanted: Memberships) -> Result<Shown> {
        let terms = self.author.terms();
        let (tenant, base) = (&terms.tenant, &terms.base);
        let group = resources::select_one(tenant, base, &GROUPS, id, Memberships::NONE);
        let batch = vec![group, members::select_all(tenant, id)];
        let results = self.author.read(batch).await?;
        let (now, held) = match (&state.base, rows_at(&results, 0)?.first()) {
            (Base::New, _) => {
                let new = Stored {
                    id: id.to_owned(),
                    created: state.created,
                    ..Stored::bare(&GROUPS)
                };
                (new, 0)
            }
            (_, Some(row)) => (
                resources::stored(&GROUPS, row)?,
                resources::held(row)?.unwrap_or_default(),
            ),
            (_, None) => return Err(Error::not_found(GROUPS.name)),
        };
        let memberships = match wanted.wanted {
            true => Some(self.members(rows_at(&results, 1)?, state, wanted).await?),
            false => None,
        };
        let stored = Stored {
            version: Version(now.version.0 + state.gain()),
            modified: terms.origin.at,
            resource: match state.base {
                Base::Unseen => now.resource,
                Base::New | Base::Known(_) => state.resource.to_stored(&GROUPS),
            },
            memberships,
            ..now
        };
        Ok(Shown {
            stored,
            held: Some(held + state.members.difference()),
        })
    }

    /// A group's members as they would be, as a reply has them.
    async fn members(&self, now: &Rows, state: &State, wanted: Memberships) -> Result<String> {
        let mut all = OrderedMap::new();
        for row in &now.rows {
            all.insert(row.text("id")?, row.text("kind")?);
        }
        for id in state.members.remove.keys() {
            all.remove(id);
        }
        let came = state.members.add.iter();
        all.extend(came.map(|(id, kind)| (id.clone(), (*kind).to_owned())));
        let terms = self.author.terms();
        let mut names = OrderedMap::new();
        if wanted.names && !all.is_empty() {
            let batch = members::select_shown_names(&terms.tenant, &all);
            for row in self
                .author
                .read(batch)
                .await?
                .iter()
                .flat_map(|rows| &rows.rows)
            {
                names.insert(row.text("id")?, row.optional_text("name")?);
            }
        }
        let member = |(id, kind): (String, String)| {
            let reference = format!("{}/{kind}s/{id}", terms.base);
            match wanted.names {
                true => {
                    json!({"value": id, "$ref": reference, "display": names.get(&id), "type": kind})
                }
                false => json!({"value": id, "$ref": reference, "type": kind}),
            }
        };
        Ok(all.into_iter().map(member).collect::<Json>().to_string())
    }
}
