//! One move: what it brings over, and what it leaves.

use std::collections::BTreeSet;
use std::rc::Rc;

use rollcall::change::rows_of_tenants::{TABLES, TENANT};
use rollcall::config::MoveLimits;
use rollcall::platform::Database;
use rollcall::store::{Error, Guard, Value as Stored};
use serde_json::{Value, json};

use super::scene::{Came, Scene, same, small};
use crate::support::World;

fn text(value: &Stored) -> String {
    match value {
        Stored::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_columns_are_those_of_the_schema() {
    let world = World::new();
    let stored = |table: &str| -> BTreeSet<String> {
        let sql = format!("select name from pragma_table_xinfo('{table}') where hidden = 0");
        world
            .database
            .query(&sql)
            .iter()
            .map(|row| text(&row[0]))
            .collect()
    };
    for table in TABLES {
        let columns = table.columns.iter().map(|column| (*column).to_owned());
        let columns: BTreeSet<String> = columns.chain(["tenant_id".to_owned()]).collect();
        assert_eq!(columns, stored(table.name), "{}", table.name);
        assert_eq!(columns.len(), table.columns.len() + 1, "{}", table.name);
    }
    let columns: BTreeSet<String> = TENANT.iter().map(|column| (*column).to_owned()).collect();
    assert_eq!(columns, stored("tenants"));
    // The keys that have no case.
    for table in TABLES {
        let sql = format!(
            "select sql from sqlite_master where name = '{}'",
            table.name
        );
        let is_caseless = text(&world.database.query(&sql)[0][0]).contains("collate nocase");
        assert_eq!(is_caseless, table.is_caseless(), "{}", table.name);
    }
}

#[test]
fn every_row_of_every_table_comes_over_and_back_again() {
    let scene = Scene::new("compat");
    scene.fill(12);
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    for (table, rows) in &rows {
        assert!(!rows.is_empty(), "{table}");
    }
    scene.begin();
    let messages = scene.run();
    assert!(messages > 3, "{messages}");
    scene.assert_moved(&rows, &own);
    assert!(scene.column("tenant_row").is_none());
    assert!(scene.column("finished_at").is_some());
    scene.is_back.set(true);
    // As the workers move it: few messages.
    scene.limits.set(MoveLimits::default());
    scene.begin();
    let messages = scene.run();
    assert!(messages < 12, "{messages}");
    scene.assert_moved(&rows, &own);
    let state: Value = serde_json::from_str(&scene.column("state").unwrap()).unwrap();
    let total: usize = rows.values().map(Vec::len).sum();
    assert_eq!(state["rows_copied"], json!(total));
    assert_eq!(state["rows_total"], json!(total));
    assert_eq!(state["rows_caught_up"], json!(0));
    assert_eq!(state["digest"].as_str().map(str::len), Some(64));
    assert!(state["pause_ms"].is_number());
}

#[test]
fn other_tenants_stay_and_pay_nothing() {
    let scene = Scene::new("compat");
    scene.fill(2);
    let other = scene.world.admin(
        "POST",
        "/api/v1/admin/tenants/",
        json!({"name": "Other", "id": "other"}),
    );
    other.expect(201);
    scene.a.execute("insert into user_names values ('other', 'u', 'n'); insert into tombstones values ('other', 'User', 'u', null, 1)");
    let noted = Rc::new(std::cell::Cell::new(0));
    let (of_hook, seen) = (scene.clone(), noted.clone());
    scene.before_each(move |number| {
        of_hook.a.execute(&format!(
            "update user_names set name = 'n{number}' where tenant_id = 'other'"
        ));
        let sql = "select count(*) from moved_rows where tenant_id = 'other'";
        seen.set(seen.get() + of_hook.a.number(sql));
    });
    scene.begin();
    scene.run();
    assert_eq!(noted.get(), 0);
    assert_eq!(scene.status(), "done");
    assert_eq!(
        scene
            .a
            .number("select count(*) from user_names where tenant_id = 'other'"),
        1
    );
    assert_eq!(
        scene
            .a
            .number("select count(*) from tombstones where tenant_id = 'other'"),
        1
    );
    assert_eq!(
        scene
            .b
            .number("select count(*) from user_names where tenant_id = 'other'"),
        0
    );
}

/// Names that go round among users, at every call of a move: no order in which the rows come has seen all of them.
#[test]
fn names_that_go_round_meet_no_unique_index() {
    let scene = Scene::new("compat");
    let ids: Vec<String> = (0..6)
        .map(|number| scene.tenant().user(&format!("n{number}")))
        .collect();
    scene.limits.set(MoveLimits { rows: 2, ..small() });
    let of_hook = scene.clone();
    scene.before_each(move |number| {
        let put = |id: &str, name: &str| {
            let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
            of_hook.tenant().send("PUT", &format!("/Users/{id}"), body);
        };
        let (one, two) = (number % 6, (number + 1 + number % 4) % 6);
        if one != two && number < 400 {
            let name = |id: &str| {
                let row = of_hook.ends().0.query(&format!("select user_name_key from users where id = '{id}'"));
                row.first().map(|row| text(&row[0]))
            };
            let (Some(first), Some(second)) = (name(&ids[one]), name(&ids[two])) else {
                return;
            };
            put(&ids[one], "between");
            put(&ids[two], &first);
            put(&ids[one], &second);
        }
    });
    scene.begin();
    scene.run();
    scene.undisturbed();
    assert_eq!(scene.status(), "done", "{:?}", scene.column("reason"));
    assert_eq!(scene.b.number("select count(*) from users"), 6);
    assert_eq!(scene.b.number("select count(*) from user_names"), 6);
}

#[test]
fn a_tenant_that_is_deleted_meanwhile_is_deleted_where_it_goes() {
    let scene = Scene::new("compat");
    scene.fill(2);
    scene.begin();
    scene.message();
    let path = format!("/api/v1/admin/tenants/{}", scene.id);
    scene.world.admin("DELETE", &path, Value::Null).expect(204);
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    scene.run();
    scene.assert_moved(&rows, &own);
    let path = format!("{path}/restore");
    scene.world.admin("POST", &path, Value::Null).expect(200);
}

#[test]
fn a_full_target_ends_the_move_and_nothing_else() {
    let scene = Scene::new("compat");
    scene.fill(5);
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    scene.begin();
    scene.message();
    scene.calls.full.set(true);
    scene.run();
    assert_eq!(scene.status(), "failed");
    assert!(scene.column("reason").unwrap().contains("disk is full"));
    scene.assert_empty(&scene.b);
    scene.assert_unwatched(&scene.a);
    same(&scene.rows(&scene.a), &rows);
    assert_eq!(scene.own_row(&scene.a), own);
}

#[test]
fn writes_pause_and_the_pause_ends_by_itself() {
    let scene = Scene::new("compat");
    scene.fill(2);
    scene.begin();
    let paused = "select count(*) from moved_rows where number = 0";
    let of_hook = scene.clone();
    let refused = Rc::new(std::cell::Cell::new(0));
    let seen = refused.clone();
    scene.before_each(move |_| {
        if seen.get() == 0 && of_hook.a.number(paused) == 1 && of_hook.own_row(&of_hook.a).is_some() {
            let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "late"});
            assert_eq!(of_hook.tenant().send("POST", "/Users", body).status, 503);
            of_hook.tenant().get("/Users").expect(200);
            seen.set(seen.get() + 1);
        }
    });
    scene.run();
    assert_eq!(scene.status(), "done");
    assert!(refused.get() > 0);
    // One whose database says that the pause is over at once: what was written meanwhile is not lost.
    scene.is_back.set(true);
    scene.limits.set(MoveLimits {
        lapse_ms: -1,
        ..small()
    });
    let of_hook = scene.clone();
    let created = Rc::new(std::cell::Cell::new(0));
    let made = created.clone();
    scene.before_each(move |number| {
        if of_hook.b.number(paused) == 1 && of_hook.own_row(&of_hook.b).is_some() && made.get() < 3
        {
            of_hook.tenant().user(&format!("late-{number}"));
            made.set(made.get() + 1);
        }
    });
    scene.begin();
    scene.run();
    scene.undisturbed();
    assert_eq!(
        (scene.status().as_str(), created.get()),
        ("done", 3),
        "{:?}",
        scene.column("reason")
    );
    assert_eq!(
        scene.a.number(
            "select count(*) from users where json_extract(keys, '$.username') glob 'late-*'"
        ),
        3
    );
}

#[test]
fn a_pause_that_is_too_short_is_tried_five_times() {
    let scene = Scene::new("compat");
    scene.fill(2);
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    scene.limits.set(MoveLimits {
        pause_ms: 0,
        ..small()
    });
    scene.begin();
    scene.run();
    assert_eq!(scene.status(), "failed");
    let state: Value = serde_json::from_str(&scene.column("state").unwrap()).unwrap();
    assert_eq!(state["tries"], json!(5));
    scene.assert_empty(&scene.b);
    scene.assert_unwatched(&scene.a);
    same(&scene.rows(&scene.a), &rows);
    assert_eq!(scene.own_row(&scene.a), own);
}

#[test]
fn a_row_that_nobody_wrote_and_that_differs_fails_the_move() {
    let scene = Scene::new("compat");
    scene.fill(3);
    let of_hook = scene.clone();
    let done = Rc::new(std::cell::Cell::new(false));
    scene.before_each(move |_| {
        if of_hook.status() == "checking" && !done.get() {
            of_hook
                .b
                .execute("update tombstones set deleted_at = deleted_at + 1");
            done.set(true);
        }
    });
    scene.begin();
    scene.run();
    scene.undisturbed();
    assert_eq!(scene.status(), "failed");
    assert!(
        scene
            .column("reason")
            .unwrap()
            .contains("rows of tombstones")
    );
    scene.assert_empty(&scene.b);
    scene.assert_unwatched(&scene.a);
}

#[test]
fn one_that_differs_behind_the_check_is_found_in_the_pause() {
    let scene = Scene::new("compat");
    scene.fill(3);
    let of_hook = scene.clone();
    scene.before_each(move |_| {
        if of_hook.status() == "switching" && of_hook.own_row(&of_hook.b).is_none() {
            of_hook.b.execute("update tombstones set deleted_at = 1");
        }
    });
    scene.begin();
    scene.run();
    scene.undisturbed();
    assert_eq!(scene.status(), "failed");
    assert!(scene.column("reason").unwrap().contains("digests"));
    scene.assert_empty(&scene.b);
}

#[test]
fn a_second_move_waits_for_the_end_of_the_first() {
    let scene = Scene::new("compat");
    scene.begin();
    let tenant = scene.tenant_id();
    let begun = rollcall::store::moves::Begun {
        id: "another",
        source: "main",
        target: "other",
        actor: "jwt:root",
        now: 1,
    };
    let begin = rollcall::store::moves::begin(&tenant, &begun).unwrap();
    let refused = pollster::block_on(scene.a.run(begin.into()));
    assert_eq!(refused.unwrap_err(), Error::Guard(Guard::VersionConflict));
    assert_eq!(scene.column("id").as_deref(), Some("move-1"));
    scene.run();
    assert_eq!(scene.status(), "done");
    assert_eq!(scene.message(), Came::Over);
}
