//! The staged test of a directory, against a real server.

mod route;

use std::rc::Rc;

use rollcall::connection::Checks;
use rollcall::connection::ldap::{Target, test};
use rollcall::ldap::{Security, Settings};
use rollcall::platform::Platform;
use rollcall::secret::Secret;

use crate::support::World;
use crate::support::network::SystemClock;
use crate::support::slapd::{BASE, Slapd};

const PEOPLE: &str = "(objectClass=inetOrgPerson)";
const GROUPS: &str = "(objectClass=groupOfNames)";

fn directory(settings: &Settings) -> Target<'_> {
    Target {
        settings,
        base_dn: BASE,
        user_filter: PEOPLE,
        groups: Some((BASE, GROUPS)),
        unique_id_attribute: "entryUUID",
    }
}

/// Each stage with whether it went well and what it said.
fn told(directory: &Target<'_>) -> Vec<(&'static str, bool, String)> {
    let platform = Platform {
        clock: Rc::new(SystemClock),
        ..World::new().app.platform
    };
    let mut checks = Checks::new(platform.clock.as_ref());
    let result = pollster::block_on(test(&mut checks, &platform, directory));
    let checks = checks.into_vec();
    assert_eq!(result.is_ok(), checks.iter().all(|check| check.ok));
    assert!(
        checks
            .iter()
            .all(|check| (0..2_000).contains(&check.duration_ms))
    );
    let told = checks.into_iter();
    told.map(|check| (check.name, check.ok, check.message))
        .collect()
}

/// The stage that failed, the last, and why.
#[track_caller]
fn failure(directory: &Target<'_>) -> (&'static str, String) {
    let mut told = told(directory);
    let (name, ok, message) = told.pop().expect("a stage");
    assert!(!ok, "{name}: {message}");
    assert!(told.iter().all(|(_, ok, _)| *ok), "{told:?}");
    (name, message)
}

#[test]
fn all_stages_say_what_they_found() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let told = told(&directory(&settings));
    let wanted = [
        ("connect", "the server answers"),
        (
            "TLS",
            "not asked for: the password and the directory cross the network in the open",
        ),
        ("bind", "bound as cn=reader,ou=services,dc=example,dc=com"),
        ("base DN", "dc=example,dc=com can be read"),
        (
            "user filter",
            "the filter matches 13 entries; 1 part lies on another server and is left out",
        ),
        (
            "group filter",
            "the filter matches 7 entries; 1 part lies on another server and is left out",
        ),
    ];
    assert_eq!(
        told,
        wanted.map(|(name, message)| (name, true, message.to_owned()))
    );
}

#[test]
fn the_first_stage_that_fails_is_the_last_and_names_the_reason() {
    let slapd = Slapd::start();
    let settings = slapd.settings();

    let mut wrong = settings.clone();
    wrong.local_development = false;
    let (stage, reason) = failure(&directory(&wrong));
    assert_eq!(stage, "connect");
    assert!(reason.starts_with("127.0.0.1 is not allowed: "), "{reason}");

    let mut wrong = settings.clone();
    wrong.security = Security::StartTls;
    assert_eq!(failure(&directory(&wrong)).0, "TLS");

    let mut wrong = settings.clone();
    wrong.bind_password = Secret::new(b"wrong".as_slice());
    let reason = "the bind failed: the bind DN or the password is wrong (49 invalidCredentials)";
    assert_eq!(failure(&directory(&wrong)), ("bind", reason.to_owned()));

    let mut wrong = directory(&settings);
    wrong.base_dn = "dc=example,dc=org";
    let (stage, reason) = failure(&wrong);
    assert_eq!(stage, "base DN");
    assert!(reason.contains("32 noSuchObject"), "{reason}");
    let blind = slapd.as_service("blind");
    assert_eq!(failure(&directory(&blind)).0, "base DN");

    let mut wrong = directory(&settings);
    wrong.user_filter = "(uid=nobody)";
    let reason = "the filter matches no entry below the base DN";
    assert_eq!(failure(&wrong), ("user filter", reason.to_owned()));
    wrong.user_filter = PEOPLE;
    wrong.unique_id_attribute = "objectSid";
    let (stage, reason) = failure(&wrong);
    assert_eq!(stage, "user filter");
    assert!(
        reason.contains("none that were looked at has exactly one objectSid"),
        "{reason}"
    );
    let limited = slapd.as_service("limited");
    let (stage, reason) = failure(&directory(&limited));
    assert_eq!(stage, "user filter");
    assert!(reason.contains("raise its size limit"), "{reason}");

    let mut wrong = directory(&settings);
    wrong.groups = Some(("ou=nowhere,dc=example,dc=com", GROUPS));
    assert_eq!(failure(&wrong).0, "group filter");
}

#[test]
fn entries_without_an_id_are_counted_and_groups_may_be_none() {
    let slapd = Slapd::start();
    let settings = slapd.settings();
    let mut some = directory(&settings);
    some.unique_id_attribute = "objectGUID";
    some.groups = Some((BASE, "(objectClass=groupOfUniqueNames)"));
    let told = told(&some);
    let said: Vec<&str> = told
        .iter()
        .map(|(_, _, message)| message.as_str())
        .collect();
    assert!(
        said[4].starts_with(
            "the filter matches 13 entries; 12 without exactly one objectGUID will be left out"
        ),
        "{said:?}"
    );
    assert_eq!(
        said[5],
        "the filter matches no entry: there will be no groups"
    );
    let mut none = directory(&settings);
    none.groups = None;
    assert_eq!(self::told(&none).len(), 5);
}
