//! What the routes of directory syncs are for.

use serde_json::{Value, json};

use super::envelopes::{lists, paging, shows};
use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::IDENTITY_PROVIDERS;
use crate::api::admin::directory_syncs::{SyncLogDetail, SyncLogResponse, SyncRequest};
use crate::api::http::envelope::Paged;
use crate::api::http::routes::Route;

fn flags() -> [Value; 3] {
    let flag = |name: &str, description: &str| {
        query(
            name,
            description,
            &json!({"type": "boolean", "default": false}),
        )
    };
    [
        flag(
            "dry_run",
            "Tells what a sync would do, and does nothing of it",
        ),
        flag(
            "full",
            "Reads the whole directory, though a sync of changes would do",
        ),
        flag("allow_removals", "Carries the plan out whatever it removes"),
    ]
}

fn log() -> Value {
    let tally = json!({
        "read": 1200, "created": 3, "updated": 1, "reactivated": 0, "unchanged": 1195, "deactivated": 1, "deleted": 0,
        "kept": 0, "conflicts": 1, "skipped": 0,
    });
    json!({
        "id": "01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "idp_id": "01a1fa81-2bee-7973-bd05-ace427df7346",
        "trigger": "manual", "actor": "jwt:tester", "mode": "full", "dry_run": false, "status": "succeeded",
        "counts": {
            "users": tally, "groups": tally, "memberships": {"added": 4, "removed": 1, "unresolved": 0},
            "mapped": {"given": 0, "taken_back": 0}, "referrals": 0,
        },
        "error": null, "started_at": "2026-11-20T19:48:51.819Z", "finished_at": "2026-11-20T19:48:53.819Z",
        "duration_ms": 2000,
        "location": "/api/v1/admin/identity-providers/01a1fa81-2bee-7973-bd05-ace427df7346/sync-logs/01a1fa81-2c3c-72ea-ac77-06c1191c8fad",
    })
}

fn detail() -> Value {
    let mut log = log();
    if let Some(log) = log.as_object_mut() {
        log.insert("entries".to_owned(), json!([]));
    }
    log
}

/// The operation of a route of directory syncs.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "startSync" => shows::<SyncLogDetail>(
            Operation::new(route, IDENTITY_PROVIDERS, "Sync an LDAP directory")
                .describe("The reply comes when the sync is over, or after 25 seconds with `status` `running`: the sync goes on, and `location` is where it is seen. What went wrong with it is in the reply, and that is 200. What may be asked for is asked for in the query or in the body. 400 for a provider that is not LDAP, 409 while a sync of it is under way.")
                .parameters(flags())
                .body(false, schemas.request::<SyncRequest>(), json!({"dry_run": true}))
                .fails(400)
                .fails(409),
            200,
            "The sync's log as it stands; of a dry run with what would be done, the first 1,000 entries",
            schemas,
            &detail(),
        ),
        "listSyncLogs" => lists::<SyncLogResponse>(
            Operation::new(route, IDENTITY_PROVIDERS, "A page of a provider's syncs, the latest first")
                .describe("The last 50 are kept, dry runs among them. While one is under way its counts are those so far."),
            schemas,
            &log(),
        ),
        "readSyncLog" => {
            let schema = schemas.reply::<Paged<SyncLogDetail>>();
            Operation::new(route, IDENTITY_PROVIDERS, "One sync, with a page of what it did")
                .describe("An entry for each object that it changed, or could not, with the reason.")
                .parameters(paging())
                .answers(200, "The sync", &schema, &examples::paged(&detail()))
                .fails(422)
        }
        _ => return None,
    })
}
