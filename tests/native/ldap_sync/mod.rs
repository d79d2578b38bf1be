//! Directory sync: what it makes of a directory, and what it must not.

mod hanging;
mod histories;
mod messages;
mod names;
mod slapd;
mod watermark;

use rollcall::config::SyncLimits;
use serde_json::{Map, Value, json};

use crate::support::slapd::{BASE, Slapd};
use crate::support::{Answer, SECRET, Tenant, World};

/// A world whose directories are on this machine.
fn deployed() -> World {
    World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("LOCAL_DEVELOPMENT", "on")])
}

/// The same, where messages do next to nothing, so that a sync of ten users takes many.
fn world() -> World {
    let mut world = deployed();
    world.app.config.sync = SyncLimits {
        text: 1_500,
        objects: 3,
        statements: 25,
    };
    world.employ();
    world
}

/// What a message has cost at the database.
#[derive(Debug, Clone, Copy)]
struct Cost {
    trips: u64,
    statements: u64,
}

/// A tenant with an LDAP provider.
struct Directory<'w> {
    tenant: Tenant<'w>,
    idp: String,
}

fn settings(url: &str) -> Value {
    json!({
        "url": url,
        "bind_dn": format!("cn=reader,ou=services,{BASE}"),
        "bind_password": "reader-password",
        "base_dn": BASE,
        "user_filter": "(objectClass=inetOrgPerson)",
        "group_filter": "(objectClass=groupOfNames)",
        "page_size": 5,
    })
}

impl<'w> Directory<'w> {
    fn of(tenant: Tenant<'w>, slapd: &Slapd, more: Value) -> Self {
        let url = format!("ldap://127.0.0.1:{}", slapd.port);
        Directory::at(tenant, &url, more)
    }

    fn at(tenant: Tenant<'w>, url: &str, more: Value) -> Self {
        let mut config = settings(url);
        for (name, value) in more.as_object().expect("an object") {
            config[name] = value.clone();
        }
        let body = json!({
            "tenant_id": tenant.id,
            "name": format!("Directory at {url}"),
            "provider_type": "LDAP",
            "ldap_config": config,
        });
        let created = tenant
            .world
            .admin("POST", "/api/v1/admin/identity-providers/", body);
        created.expect(201);
        let idp = created.body["data"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        Directory { tenant, idp }
    }

    fn world(&self) -> &'w World {
        self.tenant.world
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/admin/identity-providers/{}{rest}", self.idp)
    }

    fn configure(&self, config: Value) {
        let body = json!({ "ldap_config": config });
        self.world()
            .admin("PATCH", &self.path(""), body)
            .expect(200);
    }

    /// Asks for a sync, with a query.
    fn ask(&self, query: &str) -> Answer {
        self.world()
            .admin("POST", &self.path(&format!("/sync{query}")), Value::Null)
    }

    /// A sync, and its log when it is over; of a dry run with its entries.
    #[track_caller]
    fn sync(&self, query: &str) -> Value {
        let answer = self.ask(query);
        answer.expect(200);
        let log = answer.body["data"].clone();
        if log["status"] != "running" {
            return log;
        }
        self.world().queue.work_off();
        self.read_log(&log)
    }

    /// A log as it stands, with its first hundred entries.
    #[track_caller]
    fn read_log(&self, log: &Value) -> Value {
        let path = log["location"].as_str().expect("a place");
        let answer = self
            .world()
            .admin("GET", &format!("{path}?per_page=100"), Value::Null);
        answer.expect(200).body["data"].clone()
    }

    /// A sync that succeeds, and its counts that are not 0, as `users.created`. A dry run before it read the same, and said the same of it.
    #[track_caller]
    fn synced(&self, query: &str) -> Map<String, Value> {
        let planned = self.sync(&match query {
            "" => "?dry_run=true".to_owned(),
            query => format!("{query}&dry_run=true"),
        });
        let log = self.sync(query);
        assert_eq!(log["status"], "succeeded", "{log}");
        assert_eq!(planned["mode"], log["mode"], "a dry run and the run");
        assert_eq!(counts(&planned), counts(&log), "a dry run and the run");
        let mut told = [entries_of(&planned), self.entries(&log)];
        told.iter_mut().for_each(|entries| entries.sort());
        let [planned, done] = told;
        assert!(
            done.len() == 100 || planned == done,
            "{planned:?}\n{done:?}"
        );
        counts(&log)
    }

    /// What the messages of a sync have cost, each one that: by their lines in the worker's log.
    fn costs(&self, log: &Value) -> Vec<Cost> {
        let lines = self.world().log.0.borrow();
        let lines = lines.iter().map(|line| serde_json::from_str(line));
        let lines = lines.map(|line: Result<Value, _>| line.expect("a line of JSON"));
        let number = |line: &Value, name: &str| line[name].as_u64().expect("a number");
        lines
            .filter(|line| line["sync"] == log["id"])
            .map(|line| Cost {
                trips: number(&line, "d1_trips"),
                statements: number(&line, "d1_statements"),
            })
            .collect()
    }

    /// The entries of a sync's log: action, name or DN or id, and the reason.
    fn entries(&self, log: &Value) -> Vec<(String, String, String)> {
        entries_of(&self.read_log(log))
    }

    /// The user with that name.
    #[track_caller]
    fn user(&self, user_name: &str) -> Value {
        let query: String =
            form_urlencoded::byte_serialize(format!("userName eq \"{user_name}\"").as_bytes())
                .collect();
        let answer = self.tenant.get(&format!("/Users?filter={query}"));
        answer.expect(200);
        assert_eq!(answer.body["totalResults"], 1, "{user_name}");
        answer.body["Resources"][0].clone()
    }

    /// The group with that name.
    #[track_caller]
    fn group(&self, name: &str) -> Value {
        let query: String =
            form_urlencoded::byte_serialize(format!("displayName eq \"{name}\"").as_bytes())
                .collect();
        let answer = self.tenant.get(&format!("/Groups?filter={query}"));
        answer.expect(200);
        assert_eq!(answer.body["totalResults"], 1, "{name}");
        answer.body["Resources"][0].clone()
    }

    /// The names of a group's members, sorted.
    fn members(&self, group: &Value) -> Vec<String> {
        let members = group["members"].as_array().expect("members");
        let mut names: Vec<String> = members
            .iter()
            .map(|member| {
                let kind = member["type"].as_str().expect("a type");
                let id = member["value"].as_str().expect("an id");
                let found = self.tenant.get(&format!("/{kind}s/{id}"));
                found.expect(200);
                let name = match kind {
                    "Group" => &found.body["displayName"],
                    _ => &found.body["userName"],
                };
                name.as_str().expect("a name").to_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// What is kept beside the resources agrees with them.
    fn assert_consistent(&self) {
        let database = &self.world().database;
        for (what, sql) in [
            (
                "user_total",
                "select count(*) from tenants t where user_total <> (select count(*) from users u where u.tenant_id = t.id)",
            ),
            (
                "group_total",
                "select count(*) from tenants t where group_total <> (select count(*) from groups g where g.tenant_id = t.id)",
            ),
            (
                "audit_seq",
                "select count(*) from tenants t where audit_seq <> (select count(*) from audit_events a where a.tenant_id = t.id) or audit_seq <> (select coalesce(max(seq), 0) from audit_events a where a.tenant_id = t.id)",
            ),
            (
                "member_count",
                "select count(*) from groups g where member_count <> (select count(*) from group_members m where m.tenant_id = g.tenant_id and m.group_id = g.id)",
            ),
            (
                "strays",
                "select count(*) from group_members m where not exists (select 1 from users u where u.tenant_id = m.tenant_id and u.id = m.member_id) and not exists (select 1 from groups g where g.tenant_id = m.tenant_id and g.id = m.member_id)",
            ),
            (
                "links",
                "select count(*) from directory_entries d where not exists (select 1 from users u where u.tenant_id = d.tenant_id and u.id = d.resource_id and u.managed_by = d.idp_id) and not exists (select 1 from groups g where g.tenant_id = d.tenant_id and g.id = d.resource_id and g.managed_by = d.idp_id)",
            ),
            (
                "managed without a link",
                "select count(*) from users u where managed_by is not null and not exists (select 1 from directory_entries d where d.tenant_id = u.tenant_id and d.resource_id = u.id)",
            ),
            (
                "addresses",
                "select count(*) from users u, json_each(u.keys, '$.emails') e where not exists (select 1 from user_emails m where m.tenant_id = u.tenant_id and m.user_id = u.id and m.value_key = json_extract(e.value, '$.value'))",
            ),
            (
                "grants",
                "select count(*) from group_members m where (granted <> 0) <> exists (select 1 from mapping_grants k where k.tenant_id = m.tenant_id and k.group_id = m.group_id and k.member_id = m.member_id)",
            ),
            (
                "grants of nobody",
                "select count(*) from mapping_grants k where not exists (select 1 from group_members m where k.tenant_id = m.tenant_id and k.group_id = m.group_id and k.member_id = m.member_id)",
            ),
        ] {
            assert_eq!(database.number(sql), 0, "{what}");
        }
    }
}

fn entries_of(detail: &Value) -> Vec<(String, String, String)> {
    let entries = detail["entries"].as_array().expect("entries");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| {
            let subject = ["name", "dn", "unique_id", "resource_id"]
                .into_iter()
                .map(|field| text(&entry[field]))
                .find(|text| !text.is_empty());
            (
                text(&entry["action"]),
                subject.unwrap_or_default(),
                text(&entry["reason"]),
            )
        })
        .collect()
}

/// The counts of a log that are not 0 and not those of what was read, by names as `users.created`.
fn counts(log: &Value) -> Map<String, Value> {
    let mut flat = Map::new();
    for (of, counts) in log["counts"].as_object().expect("counts") {
        for (name, count) in counts.as_object().into_iter().flatten() {
            if *count != 0 && name != "read" {
                flat.insert(format!("{of}.{name}"), count.clone());
            }
        }
    }
    flat
}

/// Counts as a test writes them.
fn expected(counts: Value) -> Map<String, Value> {
    counts.as_object().expect("an object").clone()
}
