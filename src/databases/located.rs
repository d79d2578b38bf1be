//! The database that a tenant lives in, wherever that is by now.
//!
//! A tenant lives where its row in `tenants` is. Where to look for that, the first database says (`placements`), and an instance remembers it. So every
//! batch of a tenant checks that it is in the right place: most have a statement that does so anyway, others get one. Where it is in the
//! wrong one, the tenant has moved; where a move does not let it write for the moment, it waits a little.

use std::rc::Rc;

use async_trait::async_trait;

use super::migrations;
use super::place::MAIN;
use crate::ids::TenantId;
use crate::platform::{Database, Platform};
use crate::store::statement::Role;
use crate::store::{Error, Guard, Meter, Result, Rows, Statement, placements, rows_at};

/// How long a batch waits for a move in all, and the first wait and the longest, in milliseconds: a move stops writes for 5 seconds at most.
const MAX_WAIT_MS: u32 = 8_000;
const FIRST_WAIT_MS: u32 = 100;
const LONGEST_WAIT_MS: u32 = 800;

/// Where a tenant lives by the first database.
struct Home {
    name: String,
    /// Whether it is on its way to another one this moment.
    is_switched: bool,
}

/// The database of a tenant.
struct Located {
    platform: Platform,
    tenant: TenantId,
    /// Counts the trips beside the one that whoever asks knows of.
    meter: Rc<Meter>,
}

impl Platform {
    /// The database that holds a tenant: every query of a tenant's data goes through here. `None` asks for what belongs to no tenant: the
    /// directory.
    pub fn database_of(&self, tenant: Option<&TenantId>) -> Rc<dyn Database> {
        self.metered_database_of(tenant, &Rc::default())
    }

    /// The same, which counts the trips that it takes beside one for each batch.
    pub fn metered_database_of(
        &self,
        tenant: Option<&TenantId>,
        meter: &Rc<Meter>,
    ) -> Rc<dyn Database> {
        match tenant {
            Some(tenant) => Rc::new(Located {
                platform: self.clone(),
                tenant: tenant.clone(),
                meter: Rc::clone(meter),
            }),
            None => Rc::clone(&self.database),
        }
    }

    /// The database of that name, whoever lives there.
    pub fn database_named(&self, name: &str) -> Result<Rc<dyn Database>> {
        match name {
            MAIN => Ok(Rc::clone(&self.database)),
            _ => self
                .others
                .open(name)
                .ok_or_else(|| Error::Unbound(name.to_owned())),
        }
    }

    /// Runs a batch in the database of that name in one trip.
    pub async fn run_in(&self, name: &str, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let database = self.database_named(name)?;
        let results = match database.run(batch).await {
            Err(Error::Backend(reason)) if is_older(&reason) => {
                return Err(outdated(database.as_ref(), name, reason).await);
            }
            // What the database says of it has nothing to add.
            Err(Error::Full(_)) => return Err(Error::Full(name.to_owned())),
            results => results?,
        };
        if let Some(bytes) = results.iter().rev().find_map(|rows| rows.bytes) {
            self.homes.note_bytes(name, bytes);
        }
        Ok(results)
    }
}

/// Whether that is what a database says which has not had all migrations.
fn is_older(reason: &str) -> bool {
    ["no such table", "no such column", "has no column"]
        .iter()
        .any(|sign| reason.contains(sign))
}

/// The error of a database that lacks a table or a column: that it has not had all migrations, where that is so.
async fn outdated(database: &dyn Database, name: &str, reason: String) -> Error {
    let found = database.run(vec![placements::last_migration()]).await;
    let checked = found.and_then(|results| migrations::check(name, rows_at(&results, 0)?));
    match checked {
        Err(error @ Error::Outdated { .. }) => error,
        _ => Error::Backend(reason),
    }
}

#[async_trait(?Send)]
impl Database for Located {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let homes = &self.platform.homes;
        if homes.is_single() {
            return self.platform.run_in(MAIN, batch).await;
        }
        let mut home = match homes.of(&self.tenant) {
            Some(name) => name.to_owned(),
            None => self.look_up().await?.name,
        };
        let locates = batch.iter().any(|one| one.role == Role::Locates);
        let mut wait = FIRST_WAIT_MS;
        let mut waited = 0;
        loop {
            let guard = (!locates).then(|| placements::is_here(&self.tenant));
            let own = usize::from(guard.is_some());
            let whole = guard.into_iter().chain(batch.iter().cloned()).collect();
            match self.asked(&home, whole).await {
                Err(Error::Guard(Guard::Elsewhere)) => {
                    self.meter.add_trips(1);
                    let found = self.look_up().await?;
                    let is_same = found.name == home;
                    home = found.name;
                    if is_same && !found.is_switched {
                        // There is no such tenant.
                        return self.asked(&home, batch).await;
                    }
                    if !is_same && waited == 0 {
                        waited = 1;
                        continue;
                    }
                }
                Err(Error::Guard(Guard::Moving)) => self.meter.add_trips(1),
                done => {
                    let mut results = done?;
                    results.drain(..own.min(results.len()));
                    return Ok(results);
                }
            }
            if waited >= MAX_WAIT_MS {
                return Err(Error::Moving);
            }
            self.platform.timer.sleep(wait).await;
            waited += wait;
            wait = LONGEST_WAIT_MS.min(wait * 2);
        }
    }
}

impl Located {
    /// Looks up where the tenant lives, and remembers it.
    async fn look_up(&self) -> Result<Home> {
        let select = vec![placements::select(&self.tenant)];
        self.meter.add_trips(1);
        let results = self.platform.run_in(MAIN, select).await?;
        let row = rows_at(&results, 0)?.first();
        let name = match row {
            Some(row) => row.optional_text("database")?,
            None => None,
        };
        let name = name.unwrap_or_else(|| MAIN.to_owned());
        self.platform.homes.note(&self.tenant, &name);
        Ok(Home {
            name,
            is_switched: row.map_or(Ok(false), |row| row.boolean("switched"))?,
        })
    }

    /// Runs a batch in the database of that name. What leads to the tenant is written in the first database before, and deleted there after:
    /// where one of the two fails, something leads to nothing.
    async fn asked(&self, name: &str, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        if name == MAIN {
            return self.platform.run_in(name, batch).await;
        }
        let of = |role| -> Vec<Statement> {
            let all = batch.iter().filter(|one| one.role == role);
            all.cloned().collect()
        };
        let (leading, forgetting) = (of(Role::Leads), of(Role::Forgets));
        self.also_in_main(leading).await?;
        let results = self.platform.run_in(name, batch).await?;
        // It is done: what still leads here leads to nothing.
        let _ = self.also_in_main(forgetting).await;
        Ok(results)
    }

    async fn also_in_main(&self, batch: Vec<Statement>) -> Result<()> {
        if !batch.is_empty() {
            self.meter.add_trips(1);
            self.platform.run_in(MAIN, batch).await?;
        }
        Ok(())
    }
}
