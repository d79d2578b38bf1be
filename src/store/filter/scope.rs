//! What a term is about.

/// Whose attributes a predicate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The resource, row `r`.
    Resource,
    /// One value of a multi-valued attribute, a row `e` of `json_each`.
    Element,
    /// One member of a group: a row `e` with columns `value`, `type`, `ref` and `display`.
    Membership,
    /// One group of a user: a row `o` of `groups`.
    Group,
}
