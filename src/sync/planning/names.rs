//! Names that only one may have. An object whose name somebody else has is a conflict: it is told, and never merged with whoever has
//! it. Among the directory's own the one that has the name already comes before the one that wants it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::planner::{Fate, Planner};
use crate::scim::fold;
use crate::store::unique::{self, UniqueKey};
use crate::store::{Result, Rows};
use crate::sync::digest::Digest;
use crate::sync::failure::Failure;
use crate::sync::object::{Action, Kind, Object};

/// Objects whose names are asked for at once.
const AT_ONCE: usize = 16_000;

/// Hash of an object's name as names are compared, apart for users and groups.
pub fn key(object: &Object) -> Digest {
    name_key(object.kind, &fold::name_key(&object.name))
}

fn name_key(kind: Kind, folded: &str) -> Digest {
    Digest::of(format!("{}\n{folded}", kind.name()))
}

/// Who has a value.
struct Holder {
    id: Uuid,
    managed_by: Option<String>,
}

/// Who has the names that are wanted.
type Holders = HashMap<Digest, Holder>;

impl Planner<'_> {
    /// Leaves out whoever cannot have the name that the directory gives him.
    pub(super) async fn settle_names(&mut self) -> std::result::Result<(), Failure> {
        self.claim_names();
        let holders = self.holders().await?;
        let movers = self.updated();
        let doomed: HashSet<Uuid> = self
            .vanished
            .iter()
            .filter(|(_, action)| *action == Action::Deleted)
            .filter_map(|(id, _)| Some(self.facts.links.get(id)?.resource_id))
            .collect();
        // Whoever stays keeps his name, and so others from having it: until nobody is left out any more.
        loop {
            let mut out = Vec::new();
            for index in 0..self.fates.len() {
                if let Some(reason) = self.objection(index, &holders, &movers, &doomed) {
                    out.push((index, reason));
                }
            }
            if out.is_empty() {
                break;
            }
            for (index, reason) in out {
                self.leave_out(index, Action::Conflict, reason);
            }
        }
        let renamed = movers.values().copied().filter(|index| {
            let own = self.resource_of(*index).map(|(id, _)| id);
            let name = self.names.get(*index);
            let holder = name.and_then(|name| holders.get(name));
            holder.map(|holder| holder.id) != own
        });
        self.renamed = renamed.collect();
        Ok(())
    }

    fn is_unique(&self, kind: Kind) -> bool {
        kind == Kind::User || self.terms.unique_group_names
    }

    /// Gives each name to the first object that has it.
    fn claim_names(&mut self) {
        let mut claims: HashMap<Digest, usize> = HashMap::with_capacity(self.names.len());
        for fate in [Fate::Unchanged, Fate::Relinked, Fate::Update, Fate::Create] {
            let indexes: Vec<usize> = self.with_fate(fate).collect();
            for index in indexes {
                let (Some(object), Some(name)) =
                    (self.reading.objects.get(index), self.names.get(index))
                else {
                    continue;
                };
                if !self.is_unique(object.kind) {
                    continue;
                }
                let first = *claims.entry(*name).or_insert(index);
                if first != index && matches!(fate, Fate::Update | Fate::Create) {
                    let other = self
                        .reading
                        .objects
                        .get(first)
                        .map_or("", |first| &first.dn);
                    let reason = format!(
                        "{} `{}` is that of another entry too, {other}",
                        object.kind.name_attribute(),
                        object.name
                    );
                    self.leave_out(index, Action::Conflict, reason);
                }
            }
        }
    }

    /// Asks who has the names that are wanted.
    async fn holders(&self) -> Result<Holders> {
        let session = self.session;
        let mut holders = Holders::default();
        let all: Vec<&Object> = self
            .reading
            .objects
            .iter()
            .zip(&self.fates)
            .filter(|(_, fate)| matches!(fate, Fate::Update | Fate::Create))
            .map(|(object, _)| object)
            .collect();
        for objects in all.chunks(AT_ONCE) {
            let mut batch = Vec::new();
            let mut questions = Vec::new();
            for kind in [Kind::User, Kind::Group] {
                if !self.is_unique(kind) {
                    continue;
                }
                let unique = match kind {
                    Kind::User => UniqueKey::UserName,
                    Kind::Group => UniqueKey::GroupName,
                };
                let of_kind = objects.iter().filter(|object| object.kind == kind);
                // Who has a name by its key from before keys were normalised has it too.
                let keys = of_kind.flat_map(|object| {
                    let key = fold::name_key(&object.name);
                    [fold::former(&key), Some(key)]
                });
                let names: Vec<String> = keys.flatten().collect();
                for statement in unique::select_holders(&session.tenant, unique, &names) {
                    questions.push(kind);
                    batch.push(statement);
                }
            }
            let results = session.read(batch).await?;
            for (kind, rows) in questions.into_iter().zip(&results) {
                take(&mut holders, kind, rows)?;
            }
        }
        Ok(holders)
    }

    /// Why an object that is to be written cannot have its name, where it cannot.
    fn objection(
        &self,
        index: usize,
        holders: &Holders,
        movers: &HashMap<Uuid, usize>,
        doomed: &HashSet<Uuid>,
    ) -> Option<String> {
        let fate = *self.fates.get(index)?;
        if !matches!(fate, Fate::Update | Fate::Create) {
            return None;
        }
        let object = self.reading.objects.get(index)?;
        let (own, kind) = self.resource_of(index)?;
        let name = self.names.get(index)?;
        if let Some(holder) = holders.get(name)
            && holder.id != own
            && !doomed.contains(&holder.id)
        {
            let moves = movers.get(&holder.id).is_some_and(|mover| {
                self.fates.get(*mover) == Some(&Fate::Update)
                    && self.names.get(*mover) != Some(name)
            });
            if !moves {
                let what = format!("{} `{}`", kind.name_attribute(), object.name);
                return Some(self.whose(&what, kind, holder));
            }
        }
        None
    }

    fn whose(&self, what: &str, kind: Kind, holder: &Holder) -> String {
        let noun = kind.name().to_ascii_lowercase();
        let id = holder.id;
        match &holder.managed_by {
            None => format!("{what} belongs to the {noun} {id}, which SCIM clients manage"),
            Some(idp) if *idp == self.session.idp => {
                format!(
                    "{what} belongs to the {noun} {id}, which is another entry of this directory, or was one"
                )
            }
            Some(idp) => {
                format!(
                    "{what} belongs to the {noun} {id}, which the identity provider {idp} manages"
                )
            }
        }
    }
}

fn take(holders: &mut Holders, kind: Kind, rows: &Rows) -> Result<()> {
    for row in &rows.rows {
        let holder = Holder {
            id: Uuid::try_parse(&row.text("id")?).unwrap_or_default(),
            managed_by: row.optional_text("managed_by")?,
        };
        let key = row.text("key")?;
        let now = fold::fold(&key);
        let name = name_key(kind, &now);
        match key == now {
            true => holders.insert(name, holder).map_or((), drop),
            false => drop(holders.entry(name).or_insert(holder)),
        }
    }
    Ok(())
}
