//! A tenant full of users and groups whose values are drawn from few words, so that filters made of the same words match.
//!
//! The words are those that comparing text gets wrong: letters whose case changes their length, what SQL's patterns and JSON
//! give a meaning, characters beside the surrogates, where the next character is not the next number.

use rollcall::scim::schema::{
    Attribute, ENTERPRISE, GROUPS, Kind, List, Mutability, OwnSchemas, ResourceType, Shape, USERS,
};
use serde_json::{Map, Value, json};

use super::{Tenant, World, own_schemas};

/// Words of which values and operands are made.
pub const WORDS: [&str; 41] = [
    "anna",
    "Anna",
    "ANNABEL",
    "Ärger",
    "äRGER",
    "Straße",
    "STRASSE",
    "strasse",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "σίσυφοσ",
    "İstanbul",
    "i\u{307}stanbul",
    "istanbul",
    "ıstanbul",
    "ﬁn",
    "FIN",
    "é",
    "e\u{301}",
    "ａｎｎａ",
    "ﾊﾞﾙ",
    "バル",
    "100%",
    "100x",
    "ab",
    "ab\u{0}cd",
    "a_b",
    "axb",
    "O'Malley",
    "say \"hi\"",
    "back\\slash",
    "tab\tin",
    "[x] (y) and",
    "\u{D7FF}",
    "\u{D7FF}b",
    "\u{E000}",
    "\u{FFFF}z",
    "\u{10000}",
    "\u{10FFFF}",
    "\u{10FFFF}\u{10FFFF}a",
    "😀 12",
];

/// A word as a name may have it: without control characters.
pub fn name(word: impl AsRef<str>) -> String {
    word.as_ref().replace(char::is_control, "·")
}

/// A generator of choices: the same seed, the same choices.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("an index")
    }

    pub fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }

    pub fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

impl Tenant<'_> {
    /// Puts a group into another one, however deep that is: a client may not, a directory may.
    pub fn nest(&self, outer: &str, inner: &str) {
        let tenant = &self.id;
        self.world.database.execute(&format!(
            "insert or ignore into group_members (tenant_id, group_id, member_id, member_type) \
             values ('{tenant}', '{outer}', '{inner}', 'Group')"
        ));
        self.world.database.execute(&format!(
            "update groups set member_count = (select count(*) from group_members where group_id = '{outer}') \
             where id = '{outer}'"
        ));
    }
}

/// What is in a tenant, as a client sees it.
pub struct Population {
    pub users: Vec<Value>,
    pub groups: Vec<Value>,
    /// The tenant's own schemas.
    pub own: OwnSchemas,
}

impl Population {
    /// Creates users and groups through the application, changes some of them, and reads all of them back with every
    /// attribute, those that are returned on request too.
    pub fn create(world: &World, tenant: &Tenant<'_>, profile: &str, seed: u64) -> Self {
        Self::of_schemas(world, tenant, profile, seed, OwnSchemas::default())
    }

    /// The same in a tenant that has schemas of its own, which chance draws.
    pub fn with_own(world: &World, tenant: &Tenant<'_>, profile: &str, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let documents = own_schemas::draw(&mut dice);
        let path = format!("/api/v1/admin/tenants/{}/schemas", tenant.id);
        for document in &documents {
            world.admin("POST", &path, document.clone()).expect(201);
            world.clock.0.set(world.clock.0.get() + 1);
        }
        let own = OwnSchemas::read(1, false, Value::from(documents).to_string());
        Self::of_schemas(world, tenant, profile, seed, own)
    }

    fn of_schemas(
        world: &World,
        tenant: &Tenant<'_>,
        profile: &str,
        seed: u64,
        own: OwnSchemas,
    ) -> Self {
        let mut dice = Dice(seed);
        let mut maker = Maker {
            dice: &mut dice,
            own: &own,
            strict: profile == "strict",
            users: Vec::new(),
            groups: Vec::new(),
        };
        for index in 0..44 {
            let body = maker.user(index);
            let created = tenant.send("POST", "/Users", body);
            maker.users.push(created.expect(201).id());
            world
                .clock
                .0
                .set(world.clock.0.get() + [0, 1, 7, 999, 86_400_000][maker.dice.below(5)]);
        }
        for index in 0..18 {
            let body = maker.group(index);
            let created = tenant.send("POST", "/Groups", body);
            maker.groups.push(created.expect(201).id());
            world
                .clock
                .0
                .set(world.clock.0.get() + [0, 1, 1_000][maker.dice.below(3)]);
        }
        let Maker { users, groups, .. } = maker;
        // Later groups into earlier ones, which closes circles, some of them of one group or two.
        for pair in groups.chunks(3) {
            for operation in [(0, pair.len() - 1), (pair.len() - 1, 0)] {
                let (group, member) = (&pair[operation.0], &pair[operation.1]);
                tenant
                    .patch(
                        &format!("/Groups/{group}"),
                        json!([{"op": "add", "path": "members", "value": [{"value": member}]}]),
                    )
                    .expect(200);
            }
        }
        for id in users.iter().step_by(4) {
            world.clock.0.set(world.clock.0.get() + 1_500);
            let title = *dice.pick(&WORDS);
            tenant
                .patch(
                    &format!("/Users/{id}"),
                    json!([{"op": "replace", "path": "title", "value": title}]),
                )
                .expect(200);
        }
        Population {
            users: read_back(tenant, &USERS, &users),
            groups: read_back(tenant, &GROUPS, &groups),
            own,
        }
    }

    /// Few users in many groups that lie deep in each other: in a row of 40, in circles of one, two and six, side by side in the same
    /// ones. Users are in some of them directly, and in those above them again.
    pub fn nested(world: &World, tenant: &Tenant<'_>, seed: u64) -> Self {
        const ROW: usize = 40;
        const GROUPS_IN_ALL: usize = 60;
        let mut dice = Dice(seed);
        let users: Vec<String> = (0..24)
            .map(|index| tenant.user(&format!("{}{index}", name(dice.pick(&WORDS)))))
            .collect();
        let groups: Vec<String> = (0..GROUPS_IN_ALL)
            .map(|index| {
                world.clock.0.set(world.clock.0.get() + 1);
                tenant.group(&format!("{}{index}", name(dice.pick(&WORDS))), &[])
            })
            .collect();
        // Of two groups, the first has the second in it.
        let mut nested: Vec<(usize, usize)> = (1..ROW).map(|inner| (inner - 1, inner)).collect();
        nested.extend([(40, 40), (41, 42), (42, 41), (42, 10), (39, 43)]);
        nested.extend((43..49).map(|outer| (outer, 43 + (outer - 42) % 6)));
        nested.extend([(49, 50), (49, 51), (50, 52), (51, 52), (52, 20), (53, 20)]);
        for _ in 0..6 {
            nested.push((dice.below(GROUPS_IN_ALL), dice.below(GROUPS_IN_ALL)));
        }
        for (outer, inner) in nested {
            tenant.nest(&groups[outer], &groups[inner]);
        }
        for user in users.iter().skip(2) {
            for _ in 0..=dice.below(4) {
                let group = dice.pick(&groups);
                let value = json!([{"value": user}]);
                tenant
                    .patch(
                        &format!("/Groups/{group}"),
                        json!([{"op": "add", "path": "members", "value": value}]),
                    )
                    .expect(200);
            }
        }
        Population {
            users: read_back(tenant, &USERS, &users),
            groups: read_back(tenant, &GROUPS, &groups),
            own: OwnSchemas::default(),
        }
    }

    /// A resource type as the tenant has it.
    pub fn shape(&self, resource_type: &'static ResourceType) -> Shape<'_> {
        self.own.shape(resource_type)
    }

    pub fn of(&self, resource_type: &ResourceType) -> &[Value] {
        match resource_type.name {
            "Group" => &self.groups,
            _ => &self.users,
        }
    }
}

/// Each resource by a GET of its own: as it is by default, and the display names of memberships beside.
fn read_back(tenant: &Tenant<'_>, resource_type: &ResourceType, ids: &[String]) -> Vec<Value> {
    let memberships = match resource_type.name {
        "Group" => "members",
        _ => "groups",
    };
    ids.iter()
        .map(|id| {
            let path = format!("{}/{id}", resource_type.endpoint);
            let plain = tenant.get(&path);
            let named = tenant.get(&format!("{path}?attributes={memberships}"));
            let mut resource = plain.expect(200).body.clone();
            let named = &named.expect(200).body[memberships];
            let count = |value: &Value| value.as_array().map_or(0, Vec::len);
            assert_eq!(count(&resource[memberships]), count(named), "{path}");
            if !named.is_null() {
                resource[memberships] = named.clone();
            }
            resource
        })
        .collect()
}

struct Maker<'d> {
    dice: &'d mut Dice,
    own: &'d OwnSchemas,
    strict: bool,
    users: Vec<String>,
    groups: Vec<String>,
}

impl Maker<'_> {
    fn word(&mut self) -> String {
        match self.dice.below(8) {
            // In `compat` an empty string is no value; in `strict` it is kept.
            0 | 2 if self.strict => String::new(),
            1 => format!("{} {}", self.dice.pick(&WORDS), self.dice.pick(&WORDS)),
            _ => (*self.dice.pick(&WORDS)).to_owned(),
        }
    }

    fn user(&mut self, index: usize) -> Value {
        let mut body = self.attributes(&USERS.schema.attributes, 3);
        let mut schemas = vec![json!(USERS.schema.id())];
        body.insert(
            "userName".to_owned(),
            json!(format!("{}{index}", name(self.dice.pick(&WORDS)))),
        );
        if self.dice.one_in(2) {
            body.insert(
                "externalId".to_owned(),
                json!(format!("{}{index}", self.dice.pick(&WORDS))),
            );
        }
        if self.dice.one_in(2) {
            let mut enterprise = self.attributes(&ENTERPRISE.attributes, 2);
            if !self.users.is_empty() && self.dice.one_in(2) {
                let manager = self.dice.pick(&self.users);
                enterprise.insert("manager".to_owned(), json!({"value": manager}));
            }
            schemas.push(json!(ENTERPRISE.id()));
            body.insert(ENTERPRISE.id().to_owned(), Value::Object(enterprise));
        }
        body.insert("schemas".to_owned(), Value::Array(schemas));
        self.extend(&mut body, self.own.shape(&USERS));
        Value::Object(body)
    }

    /// Adds values of the tenant's own schemas.
    fn extend(&mut self, body: &mut Map<String, Value>, shape: Shape<'_>) {
        for schema in shape.own {
            let object = self.attributes(&schema.attributes, 3);
            if !object.is_empty() {
                body["schemas"]
                    .as_array_mut()
                    .expect("URNs")
                    .push(json!(schema.id()));
                body.insert(schema.id().to_owned(), Value::Object(object));
            }
        }
    }

    fn group(&mut self, index: usize) -> Value {
        let mut body = Map::new();
        body.insert("schemas".to_owned(), json!([GROUPS.schema.id()]));
        // Only `strict` lets groups share a name.
        let name = match self.strict {
            true => name(self.dice.pick(&WORDS)),
            false => format!("{}{index}", name(self.dice.pick(&WORDS))),
        };
        body.insert("displayName".to_owned(), json!(name));
        if self.dice.one_in(2) {
            body.insert(
                "externalId".to_owned(),
                json!(format!("{}{index}", self.dice.pick(&WORDS))),
            );
        }
        let mut members = Vec::new();
        for _ in 0..self.dice.below(5) {
            let (ids, kind) = match self.dice.one_in(3) && !self.groups.is_empty() {
                true => (&self.groups, "Group"),
                false => (&self.users, "User"),
            };
            members.push(json!({"value": self.dice.pick(ids), "type": kind}));
        }
        body.insert("members".to_owned(), Value::Array(members));
        self.extend(&mut body, self.own.shape(&GROUPS));
        Value::Object(body)
    }

    /// Values for some of the attributes, one in so many of them left out.
    fn attributes(&mut self, attributes: &List<Attribute>, left_out: usize) -> Map<String, Value> {
        let mut object = Map::new();
        for attribute in attributes.iter() {
            let settable = attribute.mutability == Mutability::ReadWrite
                && !["$ref", "manager"].contains(&attribute.name());
            if !settable || self.dice.one_in(left_out) {
                continue;
            }
            let value = match attribute.multi_valued {
                false => self.value(attribute),
                true => self.several(attribute),
            };
            object.insert(attribute.name().to_owned(), value);
        }
        object
    }

    /// Up to three values, of which any one may be primary, and the others not, by saying so or by saying nothing.
    fn several(&mut self, attribute: &Attribute) -> Value {
        let primary = self.dice.below(5);
        (0..self.dice.below(4))
            .map(|index| {
                let mut element = self.value(attribute);
                if let Some(element) = element.as_object_mut() {
                    element.shift_remove("primary");
                    if index == primary {
                        element.insert("primary".to_owned(), json!(true));
                    } else if self.dice.one_in(3) {
                        element.insert("primary".to_owned(), json!(false));
                    }
                }
                element
            })
            .collect()
    }

    fn value(&mut self, attribute: &Attribute) -> Value {
        match attribute.kind {
            Kind::Complex => Value::Object(self.attributes(&attribute.sub_attributes, 3)),
            Kind::Boolean => json!(self.dice.one_in(2)),
            Kind::Integer => json!(*self.dice.pick(&[-4, -1, 0, 1, 2, 7])),
            Kind::Decimal => json!(*self.dice.pick(&[-2.0, -0.25, 0.0, 0.25, 1.5, 2.0])),
            Kind::DateTime => json!(*self.dice.pick(&own_schemas::TIMES)),
            Kind::Binary => json!(*self.dice.pick(&["MIIC", "miic", "AAAA"])),
            _ if attribute.name() == "type"
                && attribute.canonical_values.iter().next().is_some() =>
            {
                let values: Vec<&str> = attribute.canonical_values.iter().collect();
                json!(*self.dice.pick(&values))
            }
            _ if attribute.is_name => json!(name(self.word())),
            _ => json!(self.word()),
        }
    }
}
