//! Rows of `revisions`: what was before a change, written in the same batch before anything else is.
//!
//! The database copies what it has; the plan needs not to know it. A tenant that keeps no history has no rows.

use serde_json::{Value as Json, json};

use crate::change::audit::Origin;
use crate::change::member_plan::MemberPlan;
use crate::ids::TenantId;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::store::members::GIVEN;
use crate::store::set::Set;
use crate::store::tables::table;
use crate::store::{Statement, Value};

/// Most memberships in one row: some 200 kB.
const MAX_IN_ROW: usize = 5_000;
/// Most groups that a deleted resource is remembered to have been in.
const MAX_GROUPS: usize = 10_000;
/// Longest text in bytes beside which there is room for memberships: D1 takes rows of two million bytes.
const MAX_BESIDE: usize = 1_400_000;

/// Whether a group `r` that is deleted has more members than have room beside it in one row of 1,500,000 bytes. They are not put in parts
/// before they have to be: the database reads them once more for it.
const HAS_MANY: &str = "octet_length(r.resource) + 44 * r.member_count > 1500000";

/// The columns of every row; those of the resource are of a row `r`, the number of its event is counted from the tenant's last.
const INTO: &str = "insert into revisions (tenant_id, request_id, seq, part, resource_type, resource_id, version, created_at, \
     provider_id, resource, memberships) select ?1, ?2, t.audit_seq + e.place";

/// The tenant, if it keeps a history.
const KEEPER: &str = "cross join tenants t on t.id = ?1 and t.history_days > 0";

/// A resource that is changed.
#[derive(Debug, Clone, Copy)]
pub struct Changed<'c> {
    /// Which event of the batch tells of it, from 1.
    pub place: i64,
    pub id: &'c str,
    /// Whether the resource itself becomes another one, and not its members alone.
    pub is_rewritten: bool,
    pub members: &'c MemberPlan,
}

/// Keeps what resources are that the batch makes or changes.
pub fn keep(
    tenant: &TenantId,
    origin: &Origin,
    resource_type: &ResourceType,
    changed: &[Changed<'_>],
) -> Vec<Statement> {
    let rows = changed.iter().flat_map(|changed| {
        rows_of(changed.members)
            .into_iter()
            .map(|(part, memberships)| {
                let [came, was, asked] = memberships.texts();
                vec![
                    changed.place.into(),
                    changed.id.into(),
                    (changed.is_rewritten && part.is_empty()).into(),
                    part.into(),
                    came.into(),
                    was.into(),
                    asked.into(),
                ]
            })
    });
    let columns = &["place", "id", "rewritten", "part", "came", "was", "asked"];
    let table = table(resource_type);
    // The types have the same columns, but a user no members.
    let memberships = match resource_type.name == GROUPS.name {
        true => {
            "iif(e.came is null, null, json_object('came', json(e.came), 'was', iif(e.asked is null, json(e.was), \
             (select json_group_array(json_array(m.member_id, m.granted)) from json_each(e.asked) w \
             cross join group_members m on m.tenant_id = ?1 and m.group_id = e.id and m.member_id = w.value))))"
        }
        false => "null",
    };
    Set::new(columns, rows).statements(&fixed(tenant, origin, resource_type), |part| {
        format!(
            "{} {INTO}, e.part, ?3, e.id, r.version, r.created_at, r.provider_id, iif(e.rewritten, r.resource, null), {memberships} \
             from e {KEEPER} left join {table} r on r.tenant_id = ?1 and r.id = e.id",
            part.table()
        )
    })
}

fn fixed(tenant: &TenantId, origin: &Origin, resource_type: &ResourceType) -> [Value; 3] {
    [
        tenant.into(),
        (&origin.request_id).into(),
        resource_type.name.into(),
    ]
}

/// Memberships that change, a row's share of them.
#[derive(Default)]
struct Share<'m> {
    came: Vec<&'m String>,
    /// Who goes, and on what grounds they were members: the batch holds these.
    was: Vec<(&'m String, i64)>,
    /// Whose grounds the database is asked for.
    asked: Vec<&'m String>,
}

impl Share<'_> {
    fn len(&self) -> usize {
        self.came.len() + self.was.len() + self.asked.len()
    }

    /// As JSON arrays: all null where no membership changes; of the latter two one is.
    fn texts(&self) -> [Option<String>; 3] {
        let ids = |ids: &[&String]| Json::from_iter(ids.iter().map(|id| id.as_str())).to_string();
        let pairs = || {
            let pairs = self.was.iter();
            Json::from_iter(pairs.map(|(id, granted)| json!([id, granted]))).to_string()
        };
        match (self.len(), self.asked.is_empty()) {
            (0, _) => [None, None, None],
            (_, true) => [Some(ids(&self.came)), Some(pairs()), None],
            (_, false) => [Some(ids(&self.came)), None, Some(ids(&self.asked))],
        }
    }
}

/// The rows that a change takes: each its part's name, and what it has.
fn rows_of(members: &MemberPlan) -> Vec<(String, Share<'_>)> {
    let regraded = members.regrade.keys();
    let mut asked: Vec<&String> = regraded
        .filter(|id| !members.add.contains_key(*id))
        .collect();
    let gone = members.remove.iter();
    let mut was: Vec<(&String, i64)> = gone
        .filter_map(|(id, granted)| Some((id, (*granted)?)))
        .collect();
    if !asked.is_empty() || was.len() < members.remove.len() {
        was.clear();
        asked.extend(members.remove.keys());
    }
    let all = Share {
        came: members.add.keys().collect(),
        was,
        asked,
    };
    if all.len() <= MAX_IN_ROW {
        return vec![(String::new(), all)];
    }
    let came = all.came.chunks(MAX_IN_ROW).map(|came| Share {
        came: came.to_vec(),
        ..Share::default()
    });
    let was = all.was.chunks(MAX_IN_ROW).map(|was| Share {
        was: was.to_vec(),
        ..Share::default()
    });
    let asked = all.asked.chunks(MAX_IN_ROW).map(|asked| Share {
        asked: asked.to_vec(),
        ..Share::default()
    });
    let parts = came.chain(was).chain(asked).enumerate();
    let parts = parts.map(|(number, share)| (format!("{number:05}"), share));
    std::iter::once((String::new(), Share::default()))
        .chain(parts)
        .collect()
}

/// Keeps what resources are that the batch deletes, and their memberships; `gone` are ids, each with the place of its event.
pub fn keep_deleted(
    tenant: &TenantId,
    origin: &Origin,
    resource_type: &ResourceType,
    gone: &[(i64, &str)],
) -> Vec<Statement> {
    let is_group = resource_type.name == GROUPS.name;
    let table = table(resource_type);
    let rows = gone
        .iter()
        .map(|(place, id)| vec![(*place).into(), (*id).into()]);
    let set = Set::new(&["place", "id"], rows);
    let members = match is_group {
        true => format!(
            "iif({HAS_MANY}, json('[]'), (select json_group_array(json_array(m.member_id, m.granted)) \
             from group_members m where m.tenant_id = ?1 and m.group_id = r.id))"
        ),
        false => "json('[]')".to_owned(),
    };
    let fixed = fixed(tenant, origin, resource_type);
    let mut statements = set.statements(&fixed, |part| {
        format!(
            "{} {INTO}, '', ?3, e.id, r.version, r.created_at, r.provider_id, r.resource, \
             iif(octet_length(r.resource) > {MAX_BESIDE}, null, json_object('came', json('[]'), 'was', {members}, 'in', \
             (select json_group_array(i.group_id) from (select m.group_id from group_members m indexed by group_members_member_idx \
             where m.tenant_id = ?1 and m.member_id = r.id limit {MAX_GROUPS}) i))) \
             from e {KEEPER} cross join {table} r on r.tenant_id = ?1 and r.id = e.id",
            part.table()
        )
    });
    if is_group {
        // Ids end in random digits, so that the parts are of a size.
        statements.extend(set.statements(&fixed, |part| {
            format!(
                "{} {INTO}, substr(m.member_id, -2), ?3, e.id, r.version, r.created_at, r.provider_id, null, \
                 json_object('came', json('[]'), 'was', json_group_array(json_array(m.member_id, m.granted))) \
                 from e cross join groups r on r.tenant_id = ?1 and r.id = e.id \
                 and ({HAS_MANY} or octet_length(r.resource) > {MAX_BESIDE}) {KEEPER} \
                 cross join group_members m on m.tenant_id = ?1 and m.group_id = r.id group by e.place, e.id, substr(m.member_id, -2)",
                part.table()
            )
        }));
    }
    statements
}

/// Keeps the memberships that groups lose, all given by mappings alone, whom a query names by the columns `group_id` and `member_id`. The
/// query's parameters come first, the tenant's id before all; it stands behind [`append_member_losses`], which numbers the events.
///
/// [`append_member_losses`]: crate::change::audit::append_member_losses
pub fn keep_losses(origin: &Origin, lost: &str, params: &[Value]) -> Statement {
    let request_id = params.len() + 1;
    let own = std::iter::once((&origin.request_id).into());
    Statement::new(
        format!(
            "insert into revisions (tenant_id, request_id, seq, part, resource_type, resource_id, version, created_at, provider_id, \
             memberships) select ?1, ?{request_id}, t.audit_seq + 1 - l.place, l.part, 'Group', l.group_id, r.version, r.created_at, \
             r.provider_id, json_object('came', json('[]'), 'was', json_group_array(json_array(l.member_id, {GIVEN}))) \
             from (select group_id, member_id, dense_rank() over (order by group_id desc) as place, \
             iif(count(*) over (partition by group_id) <= {MAX_IN_ROW}, '', substr(member_id, -2)) as part from ({lost})) l \
             {KEEPER} cross join groups r on r.tenant_id = ?1 and r.id = l.group_id group by l.place, l.group_id, l.part"
        ),
        params.iter().cloned().chain(own).collect(),
    )
}
