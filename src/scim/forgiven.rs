//! What `compat` forgives: each tolerance has a code, and one line in one table, with the section of the RFC that says otherwise and the
//! dialect that needs it. Where one is made use of, it is noted; the journal of requests tells an administrator which.
//!
//! What is forgiven is noted where it is read, deep inside of values and paths, and no function on the way there has to hand anything on:
//! [`note`] adds to what is noted on this thread. Whoever answers a request holds its own notes, and lays them out for as long as its work
//! runs without a pause ([`noting`]): requests that take turns on one thread do not see each other's.

use std::cell::Cell;

use serde::Serialize;

/// One tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Tolerance {
    /// A word to match on.
    pub code: &'static str,
    /// The section that says otherwise.
    pub rfc: &'static str,
    /// Where it was seen, by the number of its fixture among the tests (`tests/fixtures`); empty where it is anybody's.
    pub dialects: &'static str,
    /// What was sent, and what was made of it.
    pub what: &'static str,
}

macro_rules! tolerances {
    ($($name:ident: $code:literal, $rfc:literal, $dialects:literal, $what:literal;)+) => {
        /// The name of a tolerance in the code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Forgiven {
            $($name,)+
        }

        /// All tolerances, in the order of [`Forgiven`].
        pub const TOLERANCES: &[Tolerance] = &[
            $(Tolerance { code: $code, rfc: $rfc, dialects: $dialects, what: $what },)+
        ];
    };
}

tolerances! {
    BooleanAsText: "boolean_as_text", "RFC 7643 §2.3.2", "E05 E10 E13", "A boolean came as a string, and was read as what it says.";
    NumberForText: "number_for_text", "RFC 7643 §2.3.1", "", "A number or a boolean came where a string belongs, and was taken as its text.";
    OpInCapitals: "op_in_capitals", "RFC 7644 §3.5.2", "E05 E07", "`op` has capitals.";
    SchemasMissing: "schemas_missing", "RFC 7643 §3, RFC 7644 §3.1", "E03 E22 N01", "`schemas` is missing, or names others than the resource or the message has.";
    UnknownDropped: "unknown_dropped", "RFC 7644 §3.12", "E03", "An attribute, a path or a schema is unknown, and was passed over.";
    ReadOnlyDropped: "read_only_dropped", "RFC 7643 §7", "O06", "A PATCH changes what is read-only, and that part was passed over.";
    PathAsName: "path_as_name", "RFC 7644 §3.5.2", "E08 E22", "A name in a value without a path is a path itself (`name.givenName`), and was followed.";
    UrnSpelling: "urn_spelling", "RFC 7644 §3.10", "E11 E22 N01", "An attribute's URN is an old one, is left out, or has a dot where a colon belongs.";
    ElementMade: "element_made", "RFC 7644 §3.5.2.3", "E09", "A replace of an element that is not there made it.";
    OneForMany: "one_for_many", "RFC 7643 §2.4", "E16", "One value came where an array belongs, and was taken as an array of one.";
    ManyForOne: "many_for_one", "RFC 7643 §2.3", "E11", "An array of one, or of none, came where one value belongs.";
    TextForObject: "text_for_object", "RFC 7643 §2.3.8", "E11 E16", "A string came where an object belongs, and was taken as its `value`.";
    EmptyText: "empty_text", "RFC 7643 §2.5", "E11 E12", "An empty string was taken for no value.";
    NullAmongValues: "null_among_values", "RFC 7643 §2.5", "E03", "A null stood among the values of an array, and was passed over.";
    PackedRole: "packed_role", "RFC 7643 §4.1.2", "E13", "A role's value is JSON in a string, and was unpacked.";
    SecondPrimary: "second_primary", "RFC 7643 §2.4", "P01", "More than one value is primary; the first one stays so.";
    RemoveWithValue: "remove_with_value", "RFC 7644 §3.5.2.2", "E17", "A remove has a value, and took away what it names alone.";
    EmptyPath: "empty_path", "RFC 7644 §3.5.2", "", "An empty `path` was taken for none.";
    NoOperations: "no_operations", "RFC 7644 §3.5.2", "", "A PATCH has no operations, and did nothing.";
    UnquotedText: "unquoted_text", "RFC 7644 §3.4.2.2", "E04", "A text in a filter has no quotes, or single ones.";
    SubBehindFilter: "sub_behind_filter", "RFC 7644 §3.4.2.2", "E04", "A filter goes on behind its brackets (`emails[type eq \"work\"].value eq …`).";
    ParameterCase: "parameter_case", "RFC 7644 §3.4.2", "", "A query parameter is written in another case.";
    SpaceForPlus: "space_for_plus", "RFC 3339 §5.6", "", "A plus sign in an address came as a space, and was read back in a time.";
    MemberUnknown: "member_unknown", "RFC 7643 §4.2", "", "Members are nobody's ids, and were left out.";
    MembersLeft: "members_left", "RFC 7644 §3.5.1", "E18 P01", "A PUT of a group has no members, and left them as they are.";
    SpaceAround: "space_around", "RFC 7643 §4.1.1", "", "White space around a name was cut off.";
    ActiveEmptied: "active_emptied", "RFC 7643 §4.1.1", "E12", "`active` was emptied, and is false.";
    BulkIdMissing: "bulk_id_missing", "RFC 7644 §3.7", "", "A POST in a Bulk request has no `bulkId`.";
}

/// A set of tolerances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes(u64);

impl Notes {
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their lines of the table, in its order.
    pub fn tolerances(self) -> impl Iterator<Item = &'static Tolerance> {
        let numbered = TOLERANCES.iter().zip(0_u32..);
        numbered
            .filter(move |(_, number)| self.0 >> number & 1 == 1)
            .map(|(tolerance, _)| tolerance)
    }
}

/// The line with that code.
pub fn of_code(code: &str) -> Option<&'static Tolerance> {
    TOLERANCES.iter().find(|tolerance| tolerance.code == code)
}

thread_local! {
    static NOTED: Cell<u64> = const { Cell::new(0) };
}

/// Notes that something was forgiven.
pub fn note(forgiven: Forgiven) {
    NOTED.set(NOTED.get() | 1 << forgiven as u64);
}

/// These notes, and what the work has noted that is under way.
pub fn so_far(notes: &Cell<Notes>) -> Notes {
    Notes(notes.get().0 | NOTED.get())
}

/// Does work that does not pause, and adds what it notes to these notes. Where it panics, nothing is added.
pub fn noting<T>(notes: &Cell<Notes>, work: impl FnOnce() -> T) -> T {
    let outer = NOTED.replace(0);
    let result = work();
    notes.set(Notes(notes.get().0 | NOTED.replace(outer)));
    result
}
