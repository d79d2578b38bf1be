//! What all intents of a request come to, worked out in memory from what is known of the database. Pure: it reads nothing and writes
//! nothing. Where a fact is missing it notes the need and goes on with a guess, and the whole is done again once the fact is there.
//!
//! Intents see what those before them did. An intent fails by itself; one that refers to a resource whose making fails, fails with it.

use std::borrow::Cow;
use std::rc::Rc;

use super::account::Account;
use super::audit::{Action, Detail};
use super::intent::{Intent, Wish};
use super::member_plan::MemberPlan;
use super::members::MembersSoFar;
use super::order::{Guess, Tried};
use super::refusal::{check_condition, check_immutable, check_mandate, check_size};
use super::state::{Base, Done, Effect, State};
use crate::error::{Error, Kind, Result};
use crate::ordered::OrderedSet;
use crate::scim::body;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::patch::{self, MemberChanges};
use crate::scim::resource::{Resource, differing};
use crate::scim::schema::{GROUPS, ResourceType};
use crate::scim::version::Version;

/// The work.
pub struct Plan<'p> {
    pub intents: &'p [Result<Intent>],
    /// What is taken for true of later intents.
    pub guess: &'p Guess,
    pub account: Account<'p>,
    pub outcomes: Vec<Result<Done>>,
    /// Intents that fail for no other reason than what they refer to.
    pub by_reference: OrderedSet<usize>,
}

/// What an intent fails with that refers to one that fails, by the name that it uses.
pub fn broken_reference(name: &str) -> Error {
    let name = shortened(name);
    ScimError::value(format!("`bulkId:{name}` refers to an operation that fails")).into()
}

impl<'p> Plan<'p> {
    pub fn new(intents: &'p [Result<Intent>], guess: &'p Guess, account: Account<'p>) -> Self {
        Plan {
            intents,
            guess,
            account,
            outcomes: Vec::new(),
            by_reference: OrderedSet::new(),
        }
    }

    /// What the intents came to so far.
    pub fn tried(&self) -> Tried<'_> {
        Tried {
            intents: self.intents,
            outcomes: &self.outcomes,
            by_reference: &self.by_reference,
        }
    }

    /// Tries all intents, up to as many failures as are accepted.
    pub fn run(&mut self, fail_on_errors: Option<usize>) {
        let mut failures = 0;
        for (index, intent) in self.intents.iter().enumerate() {
            if fail_on_errors.is_some_and(|accepted| failures >= accepted) {
                break;
            }
            let outcome = match intent {
                Ok(intent) => self.outcome(index, intent),
                Err(error) => Err(error.clone()),
            };
            failures += usize::from(outcome.is_err());
            self.outcomes.push(outcome);
        }
    }

    /// An intent that refers to one that fails is tried all the same, for its own failure; but nothing comes of it.
    fn outcome(&mut self, index: usize, intent: &Intent) -> Result<Done> {
        if self.guess.unresolved.contains(&index) {
            return Err(Error::new(
                Kind::Conflict,
                "the operation and a later one that it refers to exclude each other",
            ));
        }
        let broken = self.broken_reference(index, intent);
        match (self.effect(index, intent), broken) {
            (Ok(effect), None) => {
                self.account.count_removals(&effect)?;
                Ok(self.account.commit(effect))
            }
            (Ok(_), Some(broken)) => {
                self.by_reference.insert(index);
                Err(broken)
            }
            // What it is about is not there for no other reason.
            (Err(error), Some(broken))
                if error.kind == Kind::NotFound && intent.made_by.is_some() =>
            {
                self.by_reference.insert(index);
                Err(broken)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Whether the intent with that number, seen from another one, makes nothing.
    fn fails(&self, made: usize, index: usize) -> bool {
        match made.cmp(&index) {
            std::cmp::Ordering::Less => !matches!(self.outcomes.get(made), Some(Ok(_))),
            std::cmp::Ordering::Equal => false,
            std::cmp::Ordering::Greater => self.guess.blocked.contains(&index),
        }
    }

    fn broken_reference(&self, index: usize, intent: &Intent) -> Option<Error> {
        let mut references = intent.references.iter();
        let (_, name) = references.find(|(made, _)| self.fails(**made, index))?;
        Some(broken_reference(name))
    }

    fn effect(&mut self, index: usize, intent: &Intent) -> Result<Effect> {
        if intent.is_creation {
            return match &intent.wish {
                Ok(Wish::Create(resource)) => self.create(index, intent, resource.clone()),
                Ok(Wish::Revert(reverted)) => self.revive(index, intent, reverted),
                Ok(_) => Err(Error::internal("a new resource is changed")),
                Err(error) => Err(error.clone()),
            };
        }
        let Intent {
            resource_type, id, ..
        } = intent;
        let is_unseen = self.goes_unseen(intent);
        let before = match is_unseen {
            true => self.unseen(intent),
            false => match self.account.state(resource_type, id) {
                Some(state) => state,
                None => {
                    self.look_ahead(index, intent);
                    return Err(Error::not_found(resource_type.name));
                }
            },
        };
        if !is_unseen {
            check_condition(intent.condition.as_ref(), before.version)?;
            check_mandate(&self.account.terms.mandate, &before.resource)?;
        }
        match intent.wish.as_ref().map_err(Error::clone)? {
            Wish::Delete => Ok(Effect {
                status: 204,
                resource_type,
                id: id.clone(),
                before: before.before().map(|_| Rc::clone(&before.resource)),
                state: State {
                    alive: false,
                    rests_on_version: !is_unseen,
                    ..before
                },
                event: Some((Action::Delete, Vec::new(), Detail::default())),
            }),
            wish => self.change(index, intent, before, wish),
        }
    }

    /// Whether it is enough to guard what the intent is about.
    fn goes_unseen(&self, intent: &Intent) -> bool {
        let key = (intent.resource_type.name, intent.id.clone());
        let is_unknown = match self.account.states.get(&key) {
            Some(state) => matches!(state.base, Base::Unseen),
            None => self
                .account
                .facts
                .resource(intent.resource_type, &intent.id)
                .is_none(),
        };
        self.account.facts.assumed.presence
            && is_unknown
            && !self.account.is_new(&intent.id)
            && intent.goes_unseen()
    }

    fn unseen(&self, intent: &Intent) -> State {
        let key = (intent.resource_type.name, intent.id.clone());
        self.account
            .states
            .get(&key)
            .cloned()
            .unwrap_or_else(State::unseen)
    }

    /// Whether there is nothing to be written.
    pub fn is_idle(&self) -> bool {
        let members_stay = |state: &State| state.members == MemberPlan::default();
        self.account.events.is_empty() && self.account.states.values().all(members_stay)
    }

    /// Notes what will be needed of a group's members, while the group itself is not known yet: all is read in one round trip then.
    fn look_ahead(&mut self, index: usize, intent: &Intent) {
        let Intent {
            resource_type, id, ..
        } = intent;
        let is_asked = self
            .account
            .needs
            .resources
            .contains(&(resource_type.name, id.clone()));
        let unseen = State::unseen();
        if is_asked
            && resource_type.name == GROUPS.name
            && let Ok(wish) = &intent.wish
            && let Ok((_, changes)) = self.wanted(resource_type, &unseen, wish)
        {
            // What comes of it is worked out once the group is known.
            let _ = self.plan_members(index, id, &unseen, &changes);
        }
    }

    pub(super) fn create(
        &mut self,
        index: usize,
        intent: &Intent,
        mut resource: Resource,
    ) -> Result<Effect> {
        let Intent {
            resource_type, id, ..
        } = intent;
        check_size(
            self.account.terms.shape(resource_type),
            &resource,
            self.account.budget,
        )?;
        let members = resource.members.take();
        let password = self.account.password(&mut resource)?;
        self.refuse_taken(resource_type, id, &resource)?;
        let mut attributes: Vec<String> = resource.attributes.keys().cloned().collect();
        let mut detail = Detail::of(&attributes, &resource);
        let mut state = State::new(resource, self.account.terms.origin.at);
        state.password = password;
        if let Some(members) = members.filter(|members| !members.is_empty()) {
            let changes = MemberChanges::adding(&members);
            let plan = self.plan_members(index, id, &state, &changes)?;
            detail = plan.detail();
            let has_members = plan.is_seen(&self.account.terms.mandate);
            attributes.extend(has_members.then(|| "members".to_owned()));
            state.members.then(plan);
        }
        Ok(Effect {
            status: 201,
            resource_type,
            id: id.clone(),
            before: None,
            state,
            event: Some((Action::Create, attributes, detail)),
        })
    }

    fn change(
        &mut self,
        index: usize,
        intent: &Intent,
        before: State,
        wish: &Wish,
    ) -> Result<Effect> {
        let Intent {
            resource_type, id, ..
        } = intent;
        let action = match wish {
            Wish::Replace(_) => Action::Replace,
            Wish::Become(_, action) => *action,
            Wish::Revert(_) => Action::Restore,
            _ => Action::Patch,
        };
        let (mut resource, changes) = self.wanted(resource_type, &before, wish)?;
        if matches!(wish, Wish::Patch(..) | Wish::Replace(_)) {
            let shape = self.account.terms.shape(resource_type);
            check_immutable(shape, &before.resource, &resource)?;
        }
        let password = self.account.password(&mut resource)?;
        let differs = resource != *before.resource;
        if differs {
            check_size(
                self.account.terms.shape(resource_type),
                &resource,
                self.account.budget,
            )?;
        }
        let mut members = self.plan_members(index, id, &before, &changes)?;
        if let Wish::Revert(reverted) = wish {
            members.regrade.extend(reverted.grounds.clone());
        }
        let was = before.before().map(|_| Rc::clone(&before.resource));
        let mut state = before;
        let mut event = None;
        // No change, no new version: Okta renames a group to its own name with every membership.
        if differs || password.is_some() || members.is_seen(&self.account.terms.mandate) {
            self.refuse_rename(resource_type, id, &state.resource, &resource)?;
            let mut attributes = differing(&state.resource, &resource);
            let detail = match resource_type.name == GROUPS.name {
                true => members.detail(),
                false => Detail::of(&attributes, &resource),
            };
            let rests =
                differs || password.is_some() || intent.condition.is_some() || !changes.is_by_id();
            let has_members = members.is_seen(&self.account.terms.mandate);
            attributes.extend(has_members.then(|| "members".to_owned()));
            state.is_rewritten |= differs || password.is_some();
            state.rests_on_version |= rests && matches!(state.base, Base::Known(_));
            state.resource = Rc::new(resource);
            state.version = Version(state.version.0 + 1);
            state.password = password.or(state.password);
            if let Wish::Revert(reverted) = wish {
                state.provider_id = reverted.provider_id.clone();
            }
            event = Some((action, attributes, detail));
        }
        state.members.then(members);
        Ok(Effect {
            status: 200,
            resource_type,
            id: id.clone(),
            before: was,
            state,
            event,
        })
    }

    /// The resource that a PUT or PATCH wants, and what it wants of the members.
    fn wanted<'w>(
        &self,
        resource_type: &'static ResourceType,
        before: &State,
        wish: &'w Wish,
    ) -> Result<(Resource, Cow<'w, MemberChanges>)> {
        let profile = self.account.terms.profile;
        let shape = self.account.terms.shape(resource_type);
        match wish {
            Wish::Patch(operations, changes) => {
                let mut resource = (*before.resource).clone();
                // Of a resource that is not seen, only the members change.
                if !matches!(before.base, Base::Unseen) {
                    patch::apply(
                        operations,
                        shape,
                        &mut resource,
                        profile,
                        self.account.budget,
                    )?;
                }
                Ok((resource, Cow::Borrowed(changes)))
            }
            Wish::Replace(data) => {
                let over = Some(&*before.resource);
                let (data, budget) = (data.clone(), self.account.budget);
                let mut resource = body::read_over(shape, data, over, profile, budget)?;
                let mut changes = MemberChanges::default();
                match resource.members.take() {
                    Some(members) => changes.replace_all(&members),
                    // Entra and Ping send a group's name without its members, and mean them to stay.
                    None if profile.is_strict() && resource_type.name == GROUPS.name => {
                        changes.replace_all(&[]);
                    }
                    None if resource_type.name == GROUPS.name => note(Forgiven::MembersLeft),
                    None => {}
                }
                Ok((resource, Cow::Owned(changes)))
            }
            Wish::Become(resource, _) => Ok((resource.clone(), Cow::default())),
            Wish::Revert(reverted) => {
                let resource = reverted.resource.as_ref().unwrap_or(&before.resource);
                Ok((resource.clone(), Cow::Borrowed(&reverted.members)))
            }
            Wish::Members(changes) => Ok(((*before.resource).clone(), Cow::Borrowed(changes))),
            Wish::Create(_) | Wish::Delete => Err(Error::internal("not a change")),
        }
    }

    /// Turns what is wanted of the members into rows to add and to take away.
    pub(super) fn plan_members(
        &mut self,
        index: usize,
        group: &str,
        state: &State,
        changes: &MemberChanges,
    ) -> Result<MemberPlan> {
        let there = &mut MembersSoFar {
            is_stored: !state.is_new(),
            so_far: &state.members,
            account: &mut self.account,
            intent: index,
            group,
            changes,
        };
        there.plan()
    }
}
