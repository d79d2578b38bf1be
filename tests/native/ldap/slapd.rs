//! A real directory, read.

use rollcall::ldap::{Connection, Entry, Scope, Search, Security, dn};
use rollcall::secret::Secret;

use super::{everything, failure, platform, read};
use crate::support::slapd::{BASE, Slapd};

#[track_caller]
fn named<'e>(entries: &'e [Entry], uid: &str) -> &'e Entry {
    entries
        .iter()
        .find(|entry| entry.text("uid") == Some(uid))
        .expect(uid)
}

#[test]
fn every_entry_comes_once_page_by_page_and_referrals_are_counted() {
    let slapd = Slapd::start();
    let (pages, referrals) = read(&slapd.settings(), &everything("(objectClass=*)")).unwrap();
    assert!(pages.iter().all(|page| !page.is_empty() && page.len() <= 5));
    assert_eq!(referrals, 1);
    let mut dns: Vec<String> = pages
        .iter()
        .flatten()
        .map(|entry| dn::normalise(&entry.dn).expect("a DN"))
        .collect();
    let count = dns.len();
    dns.sort_unstable();
    dns.dedup();
    assert_eq!(dns.len(), count);
    // As many as the fixture has, less the one that is elsewhere.
    let fixture = std::fs::read_to_string("tests/fixtures/ldap/directory.ldif").unwrap();
    let written = fixture.lines().filter(|line| line.starts_with("dn:"));
    assert_eq!(count, written.count() - 1);
}

#[test]
fn awkward_names_and_values_come_as_they_are() {
    let slapd = Slapd::start();
    let (pages, _) = read(
        &slapd.settings(),
        &everything("(objectClass=inetOrgPerson)"),
    )
    .unwrap();
    let people = pages.concat();
    assert_eq!(people.len(), 13);
    for (uid, cn) in [
        ("jürgen", "Jürgen Müller"),
        ("bo", "Smith, Bo"),
        ("cy", r#"C++ "Cy" \ x=y"#),
        ("dora", " dora "),
        ("eva", "#eva"),
        ("finn", "Finn Fisher"),
    ] {
        let entry = named(&people, uid);
        assert_eq!(entry.text("CN"), Some(cn));
        assert!(dn::parse(&entry.dn).is_ok(), "{}", entry.dn);
    }
    let anna = named(&people, "anna");
    assert_eq!(anna.text("cn;lang-de"), Some("Frau Anna Andersson"));
    assert_eq!(
        anna.unique_id("entryUUID").as_deref(),
        Some("00000000-0000-4000-8000-000000000001")
    );
    assert_eq!(named(&people, "gus").text("mail"), None);
    let jan = people
        .iter()
        .find(|entry| entry.texts("uid").any(|uid| uid == "jj"))
        .expect("jj");
    let mut mails: Vec<&str> = jan.texts("mail").collect();
    mails.sort_unstable();
    assert_eq!(mails, ["jan@example.com", "jj@example.com"]);
    assert_eq!(jan.unique_id("mail"), None);
    let kim = named(&people, "kim");
    assert_eq!(
        kim.unique_id("objectGUID").as_deref(),
        Some("00112233-4455-6677-8899-aabbccddeeff")
    );
}

#[test]
fn members_are_found_by_their_names_however_these_are_spelt() {
    let slapd = Slapd::start();
    let (pages, _) = read(&slapd.settings(), &everything("(objectClass=*)")).unwrap();
    let entries = pages.concat();
    let known: Vec<String> = entries
        .iter()
        .map(|entry| dn::normalise(&entry.dn).expect("a DN"))
        .collect();
    let groups = entries
        .iter()
        .filter(|entry| !entry.values("member").is_empty());
    let (mut members, mut strangers) = (0, Vec::new());
    for member in groups.flat_map(|group| group.texts("member")) {
        members += 1;
        let key = dn::normalise(member).expect("a DN");
        if !known.contains(&key) {
            strangers.push(key);
        }
    }
    assert_eq!(members, 20);
    assert_eq!(strangers, ["uid=ghost,ou=people,dc=example,dc=com"]);
}

#[test]
fn a_group_of_five_thousand_and_a_page_of_everything_come_whole() {
    let mut ldif =
        format!("dn: cn=everybody,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: everybody\n");
    for number in 0..5_000 {
        ldif.push_str(&format!("member: uid=user-{number},ou=people,{BASE}\n"));
    }
    let slapd = Slapd::with("", &ldif);
    let mut settings = slapd.settings();
    settings.page_size = 1_000;
    let (pages, _) = read(&settings, &everything("(member=*)")).unwrap();
    assert_eq!(pages.len(), 1);
    let everybody = pages[0]
        .iter()
        .find(|entry| entry.text("cn") == Some("everybody"))
        .expect("everybody");
    assert_eq!(everybody.values("member").len(), 5_000);
}

#[test]
fn a_search_reaches_as_far_as_its_scope_and_asks_for_what_it_wants() {
    let slapd = Slapd::start();
    for (scope, count) in [(Scope::Base, 1), (Scope::One, 12), (Scope::Subtree, 13)] {
        let search = Search {
            base_dn: format!("OU=People, {BASE}"),
            scope,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec!["uid".to_owned()],
        };
        let (pages, _) = read(&slapd.settings(), &search).unwrap();
        let entries = pages.concat();
        assert_eq!(entries.len(), count, "{scope:?}");
        assert!(entries.iter().all(|entry| entry.values("cn").is_empty()));
    }
}

#[test]
fn a_search_given_up_leaves_the_connection_good_for_the_next() {
    let slapd = Slapd::start();
    pollster::block_on(async {
        let mut connection = Connection::open(&platform(), &slapd.settings())
            .await
            .unwrap();
        let first = connection.search(&everything("(uid=*)")).next().await;
        assert_eq!(first.unwrap().expect("a page").len(), 5);
        let mut pages = connection.search(&everything("(uid=kim)"));
        assert_eq!(pages.next().await.unwrap().expect("a page").len(), 1);
        assert_eq!(pages.next().await.unwrap(), None);
        assert_eq!(pages.next().await.unwrap(), None);
        connection.close().await;
    });
}

#[test]
fn what_the_server_refuses_is_told_in_words() {
    let slapd = Slapd::start();
    let all = everything("(objectClass=*)");

    let mut wrong_password = slapd.settings();
    wrong_password.bind_password = Secret::new(b"not-the-password".as_slice());
    let reason = failure(&wrong_password, &all);
    assert_eq!(
        reason,
        "the bind failed: the bind DN or the password is wrong (49 invalidCredentials)"
    );

    let mut nobody = slapd.settings();
    nobody.bind_dn = format!("cn=nobody,{BASE}");
    assert_eq!(failure(&nobody, &all), reason);

    let mut malformed = slapd.settings();
    malformed.bind_dn = "nobody".to_owned();
    let reason = failure(&malformed, &all);
    assert!(reason.contains("34 invalidDNSyntax"), "{reason}");

    let mut no_password = slapd.settings();
    no_password.bind_password = Secret::new(b"".as_slice());
    let reason = failure(&no_password, &all);
    assert!(reason.contains("has no password"), "{reason}");

    let mut no_name = slapd.settings();
    no_name.bind_dn = String::new();
    let reason = failure(&no_name, &all);
    assert!(reason.contains("has no bind DN"), "{reason}");

    let mut elsewhere = all.clone();
    elsewhere.base_dn = format!("ou=nowhere,{BASE}");
    let reason = failure(&slapd.settings(), &elsewhere);
    assert_eq!(
        reason,
        "the search failed: there is no entry of that DN, or the bind DN may not see it (32 noSuchObject)"
    );
    let reason = failure(&slapd.as_service("blind"), &all);
    assert!(reason.contains("32 noSuchObject"), "{reason}");

    elsewhere.base_dn = format!("ou=elsewhere,{BASE}");
    let reason = failure(&slapd.settings(), &elsewhere);
    assert!(reason.contains("10 referral"), "{reason}");

    let reason = failure(&slapd.as_service("limited"), &all);
    assert!(reason.contains("fewer entries than there are"), "{reason}");
}

#[test]
fn a_server_that_wants_protection_says_so() {
    let slapd = Slapd::with("security simple_bind=128", "");
    let reason = failure(&slapd.settings(), &everything("(uid=*)"));
    assert_eq!(
        reason,
        "the bind failed: the server wants a protected connection; use ldaps:// or StartTLS (13 confidentialityRequired: confidentiality required)"
    );
}

#[test]
fn a_server_without_tls_is_not_talked_to_in_the_open_instead() {
    let slapd = Slapd::start();
    let mut settings = slapd.settings();
    settings.security = Security::StartTls;
    let reason = failure(&settings, &everything("(uid=*)"));
    assert!(
        reason.starts_with("the StartTLS request failed: the server"),
        "{reason}"
    );
}

#[test]
fn every_kind_of_filter_means_what_it_says() {
    let slapd = Slapd::start();
    for (filter, wanted) in [
        ("(uid=bo)", &["bo"][..]),
        (
            " ( & (objectClass=inetOrgPerson) (| (uid=bo) (uid=CY) ) ) "
                .replace("( &", "(&")
                .as_str(),
            &["bo", "cy"],
        ),
        ("(&(uid=*)(!(mail=*)))", &["gus"]),
        ("(mail=j*@*.com)", &["jan", "jürgen"]),
        ("(cn=*Fish*)", &["finn"]),
        ("(cn=*fisher)", &["finn"]),
        (r"(cn=C\2b\2b \22Cy\22 \5c x=y)", &["cy"]),
        (r"(uid=j\c3\bcrgen)", &["jürgen"]),
        ("(uid=jürgen)", &["jürgen"]),
        (
            r"(objectGUID=\33\22\11\00\55\44\77\66\88\99\aa\bb\cc\dd\ee\ff)",
            &["kim"],
        ),
        (
            "(&(userAccountControl>=514)(userAccountControl<=514))",
            &["kim"],
        ),
        ("(&(uid=*)(sn~=fisher))", &["finn"]),
        ("(uid:caseExactMatch:=bo)", &["bo"]),
        ("(uid:caseExactMatch:=BO)", &[]),
        ("(ou:dn:=contractors)", &["anna"]),
        ("(cn;lang-de=*)", &["anna"]),
        (r"(cn=\2a)", &[]),
    ] {
        let (pages, _) = read(&slapd.settings(), &everything(filter)).unwrap();
        let mut found: Vec<String> = pages
            .concat()
            .iter()
            .filter_map(|entry| entry.text("uid").map(str::to_owned))
            .collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "{filter}");
    }
    let reason = failure(&slapd.settings(), &everything("(uid=a"));
    assert_eq!(
        reason,
        "the filter does not hold: at character 7: a closing parenthesis is missing here"
    );
}
