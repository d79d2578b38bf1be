//! The databases of a world, each a twin of D1, by their names.

use std::cell::RefCell;
use std::rc::Rc;

use rollcall::announcing::Announcing;
use rollcall::databases::homes::Homes;
use rollcall::databases::place::{MAIN, Place};
use rollcall::platform::{Database, Others, Platform};

use super::World;
use super::d1_twin::D1Twin;
use super::jobs::TestQueue;
use super::outside::{TestBackground, TestClock, TestEntropy};

/// All databases, the first one first.
pub struct Twins {
    twins: Vec<(String, Rc<D1Twin>)>,
    announced: RefCell<Vec<(String, Rc<dyn Database>)>>,
}

impl Twins {
    pub fn new(places: &[Place]) -> Self {
        let twins = places
            .iter()
            .map(|place| (place.name.clone(), Rc::new(D1Twin::new())));
        Twins {
            twins: twins.collect(),
            announced: RefCell::default(),
        }
    }

    /// Has what is written in them announced, as the worker does.
    pub fn announce(
        &self,
        queue: &Rc<TestQueue>,
        background: &Rc<TestBackground>,
        clock: &Rc<TestClock>,
        entropy: &Rc<TestEntropy>,
    ) {
        let all = self.twins.iter().map(|(name, twin)| {
            let announcing: Rc<dyn Database> = Rc::new(Announcing {
                database: twin.clone(),
                queue: queue.clone(),
                background: background.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
            });
            (name.clone(), announcing)
        });
        *self.announced.borrow_mut() = all.collect();
    }

    pub fn main(&self) -> Rc<D1Twin> {
        self.twins[0].1.clone()
    }

    pub fn named(&self, name: &str) -> Rc<D1Twin> {
        let found = self.twins.iter().find(|(known, _)| known == name);
        found
            .unwrap_or_else(|| panic!("no database {name}"))
            .1
            .clone()
    }

    /// Keeps everything in all of them as it is now.
    pub fn save(&self) {
        for (_, twin) in &self.twins {
            twin.save();
        }
    }

    /// Sets everything back to what was kept.
    pub fn restore(&self) {
        for (_, twin) in &self.twins {
            twin.restore();
        }
    }

    /// What is in all of them, as one text.
    pub fn dump_text(&self) -> String {
        self.twins
            .iter()
            .map(|(_, twin)| twin.dump_text())
            .collect()
    }

    /// Counts the statements of another invocation; gives those of the one before.
    pub fn begin_invocation(&self) -> Vec<usize> {
        let all = self.twins.iter();
        all.map(|(_, twin)| twin.begin_invocation()).collect()
    }

    /// Goes on counting those of an invocation that was interrupted by another.
    pub fn resume_invocation(&self, statements: &[usize]) {
        for ((_, twin), statements) in self.twins.iter().zip(statements) {
            twin.resume_invocation(*statements);
        }
    }
}

impl Others for Twins {
    fn open(&self, name: &str) -> Option<Rc<dyn Database>> {
        let announced = self.announced.borrow();
        let found = announced.iter().find(|(known, _)| known == name);
        found.map(|(_, database)| database.clone())
    }
}

/// Databases of which each has something around it.
struct Wrapped<F>(Rc<dyn Others>, F);

impl<F: Fn(Rc<dyn Database>) -> Rc<dyn Database>> Others for Wrapped<F> {
    fn open(&self, name: &str) -> Option<Rc<dyn Database>> {
        Some(self.1(self.0.open(name)?))
    }
}

/// Puts something around each database of a platform.
pub fn wrap(
    platform: &mut Platform,
    around: impl Fn(Rc<dyn Database>) -> Rc<dyn Database> + 'static,
) {
    platform.database = around(platform.database.clone());
    platform.others = Rc::new(Wrapped(platform.others.clone(), around));
}

/// Databases of which one is another one.
struct Instead(Rc<dyn Others>, String, Rc<dyn Database>);

impl Others for Instead {
    fn open(&self, name: &str) -> Option<Rc<dyn Database>> {
        match name == self.1 {
            true => Some(self.2.clone()),
            false => self.0.open(name),
        }
    }
}

impl World {
    /// Puts another database in the place of the one that tenants live in.
    pub fn put_home(&self, platform: &mut Platform, database: Rc<dyn Database>) {
        match self.home_name().as_str() {
            MAIN => platform.database = database,
            name => {
                let others = platform.others.clone();
                platform.others = Rc::new(Instead(others, name.to_owned(), database));
            }
        }
    }
}

impl World {
    /// The name of the database that tenants live in.
    pub fn home_name(&self) -> String {
        match self.app.platform.homes.is_single() {
            true => MAIN.to_owned(),
            false => std::env::var("TENANTS_IN").unwrap_or_else(|_| MAIN.to_owned()),
        }
    }

    /// The database that tenants live in, as the application reaches it.
    pub fn home(&self) -> Rc<dyn Database> {
        let opened = self.app.platform.database_named(&self.home_name());
        opened.expect("the database")
    }

    /// The databases, as an instance knows them that has just begun.
    pub fn no_memory_of_homes(&self) -> Rc<Homes> {
        let homes = &self.app.platform.homes;
        Rc::new(Homes::new(homes.places().to_vec(), homes.max_bytes()))
    }
}
