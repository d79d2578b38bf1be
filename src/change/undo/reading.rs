//! What an undo has to know: in one round trip what was kept, what is there now and who changed it since; in another what it leads to.

use std::ops::Range;

use super::found::{Around, Found};
use super::names::new_key;
use super::outcome::Resourceful;
use super::target::{Ground, Targets};
use crate::change::author::Author;
use crate::change::facts::Seen;
use crate::change::member_plan::{Known, kind_of};
use crate::error::Result;
use crate::ordered::OrderedSet;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType};
use crate::store::members::{self, Pair};
use crate::store::revisions;
use crate::store::unique::{self, UniqueKey};
use crate::store::{Row, Rows, Statement, mapping_grants, resources};

/// Statements of several questions.
#[derive(Default)]
struct Questions(Vec<Statement>);

impl Questions {
    fn ask(&mut self, statements: Vec<Statement>) -> Range<usize> {
        let begin = self.0.len();
        self.0.extend(statements);
        begin..self.0.len()
    }

    async fn answered(self, author: &dyn Author) -> Result<Vec<Rows>> {
        match self.0.is_empty() {
            true => Ok(Vec::new()),
            false => author.read(self.0).await,
        }
    }
}

fn rows(results: &[Rows], range: Range<usize>) -> impl Iterator<Item = &Row> {
    let results = results.get(range).unwrap_or_default();
    results.iter().flat_map(|rows| &rows.rows)
}

fn seen(resource_type: &'static ResourceType, row: &Row) -> Result<(String, Seen)> {
    let stored = resources::stored(resource_type, row)?;
    Ok((stored.id.clone(), Seen::new(stored, true)?))
}

pub async fn read(author: &dyn Author, part: &[Resourceful]) -> Result<Found> {
    let tenant = &author.terms().tenant;
    let mut questions = Questions::default();
    let changes = part.iter().flat_map(|resource| &resource.changes);
    let changes = changes.map(|(request, seq)| (request.as_str(), *seq));
    let kept = questions.ask(revisions::select_kept(tenant, changes));
    // The first of the changes tells of those since, and of itself not.
    let first = part
        .iter()
        .map(|resource| (resource.id.as_str(), resource.first));
    let since = questions.ask(revisions::select_since(tenant, first));
    let now = RESOURCE_TYPES.map(|resource_type| {
        let of_type = part
            .iter()
            .filter(|one| one.resource_type.name == resource_type.name);
        let ids = of_type.map(|resource| &resource.id);
        let asked = resources::select_many(tenant, resource_type, ids);
        (resource_type, questions.ask(asked))
    });
    let results = questions.answered(author).await?;
    let mut found = Found::default();
    for row in rows(&results, kept) {
        let kept = revisions::kept(row)?;
        found.kept.or_default(kept.id.clone()).push(kept);
    }
    for row in rows(&results, since) {
        let requests = found.since.or_default(row.text("id")?);
        requests.push((row.text("request_id")?, row.text("actor")?));
    }
    for (resource_type, range) in now {
        for row in rows(&results, range) {
            let (id, seen) = seen(resource_type, row)?;
            found.now.insert(id, seen);
        }
    }
    Ok(found)
}

pub async fn read_around(
    author: &dyn Author,
    found: &Found,
    targets: &Targets<'_>,
) -> Result<Around> {
    let terms = author.terms();
    let tenant = &terms.tenant;
    let mut questions = Questions::default();
    let pairs: Vec<Pair> = targets.pairs.keys().cloned().collect();
    let others: OrderedSet<&String> = pairs
        .iter()
        .map(|(group, _)| group)
        .filter(|group| !found.now.contains_key(*group))
        .collect();
    let groups = questions.ask(resources::select_many(tenant, &GROUPS, others));
    let probed = questions.ask(members::probe(tenant, &pairs));
    let granted = targets.pairs.iter().filter(|(_, ground)| {
        matches!(ground, Ground::Unknown)
            || matches!(ground, Ground::Was(granted) if *granted != members::DIRECT)
    });
    let granted: Vec<Pair> = granted.map(|(pair, _)| pair.clone()).collect();
    let given = questions.ask(mapping_grants::select_given(tenant, &granted));
    let keys = targets.resources.iter();
    let keys: Vec<(UniqueKey, String)> = keys
        .filter_map(|wanted| new_key(terms.profile, wanted, found))
        .collect();
    let holders = UniqueKey::ALL.map(|unique| {
        let of_kind = keys.iter().filter(|(of, _)| *of == unique);
        let names = of_kind.map(|(_, name)| name);
        (
            unique,
            questions.ask(unique::select_holders(tenant, unique, names)),
        )
    });
    let results = questions.answered(author).await?;
    let mut around = Around::default();
    for row in rows(&results, groups) {
        let (id, seen) = seen(&GROUPS, row)?;
        around.groups.insert(id, seen);
    }
    for row in rows(&results, probed) {
        let probed = members::probed(row)?;
        let known = Known {
            granted: probed.granted,
            kind: kind_of(probed.kind.as_deref()),
        };
        around.pairs.insert((probed.group, probed.id), known);
    }
    for row in rows(&results, given) {
        around
            .given
            .insert((row.text("group_id")?, row.text("id")?));
    }
    for (unique, range) in holders {
        for row in rows(&results, range) {
            around
                .holders
                .insert((unique, row.text("key")?), row.text("id")?);
        }
    }
    Ok(around)
}
