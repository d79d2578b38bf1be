//! What a database refuses, in terms of our own tables.

use thiserror::Error as ThisError;

/// A uniqueness rule of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    TenantId,
    UserName,
    GroupDisplayName,
    /// Somebody is a member already.
    Membership,
    IdentityProviderName,
    GroupMapping,
    /// A unique index or key that no client can run into.
    Other,
}

impl Constraint {
    const fn name(self) -> &'static str {
        match self {
            Constraint::TenantId => "tenant_id",
            Constraint::UserName => "user_name",
            Constraint::GroupDisplayName => "group_display_name",
            Constraint::Membership => "membership",
            Constraint::IdentityProviderName => "identity_provider_name",
            Constraint::GroupMapping => "group_mapping",
            Constraint::Other => "other",
        }
    }
}

/// A condition of a writing batch that did not hold, and so undid it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// What is known of the credential or of the tenant's settings is no longer so.
    CredentialStale,
    NotFound,
    /// The resource is at another version than the one that was read.
    VersionConflict,
    /// The resource is at another version than the client named in `If-Match`.
    PreconditionFailed,
    /// A user or group that is to become a member is not there any more.
    MemberMissing,
    /// Who is to go is no member.
    MembershipMissing,
    /// Groups in groups would be nested deeper than allowed.
    NestedTooDeep,
    /// The identity provider that something is to belong to is not there any more.
    ProviderMissing,
    /// The identity provider that something is to belong to is no directory.
    NoDirectory,
    /// There are as many as there may be.
    Full,
    /// The group that a mapping is to lead to is not there any more.
    GroupMissing,
    /// A credential has removed more than the tenant allows one.
    FuseBlown,
    /// Another sync of the same provider is under way.
    SyncRunning,
    /// The sync is not the one under way any more: it took too long, or its provider is gone.
    LeaseLost,
    /// The tenant does not live in this database.
    Elsewhere,
    /// The tenant is about to leave this database, and writes nothing there any more.
    Moving,
    /// The batch was only tried: all its other conditions hold.
    DryRun,
}

impl Guard {
    const ALL: [Guard; 17] = [
        Guard::CredentialStale,
        Guard::NotFound,
        Guard::VersionConflict,
        Guard::PreconditionFailed,
        Guard::MemberMissing,
        Guard::MembershipMissing,
        Guard::NestedTooDeep,
        Guard::ProviderMissing,
        Guard::NoDirectory,
        Guard::Full,
        Guard::GroupMissing,
        Guard::FuseBlown,
        Guard::SyncRunning,
        Guard::LeaseLost,
        Guard::Elsewhere,
        Guard::Moving,
        Guard::DryRun,
    ];

    /// The word that the guard raises in SQL.
    pub const fn word(self) -> &'static str {
        match self {
            Guard::CredentialStale => "guard_credential_stale",
            Guard::NotFound => "guard_not_found",
            Guard::VersionConflict => "guard_version_conflict",
            Guard::PreconditionFailed => "guard_precondition_failed",
            Guard::MemberMissing => "guard_member_missing",
            Guard::MembershipMissing => "guard_membership_missing",
            Guard::NestedTooDeep => "guard_nested_too_deep",
            Guard::ProviderMissing => "guard_provider_missing",
            Guard::NoDirectory => "guard_no_directory",
            Guard::Full => "guard_full",
            Guard::GroupMissing => "guard_group_missing",
            Guard::FuseBlown => "guard_fuse_blown",
            Guard::SyncRunning => "guard_sync_running",
            Guard::LeaseLost => "guard_lease_lost",
            Guard::Elsewhere => "guard_elsewhere",
            Guard::Moving => "guard_moving",
            Guard::DryRun => "guard_dry_run",
        }
    }
}

/// A batch that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    #[error("constraint {}", .0.name())]
    Conflict(Constraint),
    #[error("{}", .0.word())]
    Guard(Guard),
    /// A directory manages the resource: that of the identity provider with this id.
    #[error("managed by {0}")]
    Managed(String),
    /// The database is busy, restarting or out of reach: nothing was written, or the outcome is unknown.
    #[error("database unavailable: {0}")]
    Overloaded(String),
    /// A move keeps the tenant from writing for longer than usual.
    #[error("the tenant is on its way to another database")]
    Moving,
    /// The database has as many bytes as it may have.
    #[error("the database is full: {0}")]
    Full(String),
    /// The database has not had all migrations.
    #[error("the database {database} is at the migration {last}")]
    Outdated { database: String, last: String },
    /// The database is named in the settings, and not bound.
    #[error("the database {0} is not bound")]
    Unbound(String),
    #[error("too large: {0}")]
    TooLarge(String),
    #[error("database: {0}")]
    Backend(String),
}

/// What the guard on managed resources raises, before the provider's id.
pub(super) const MANAGED: &str = "guard_managed ";

/// Result of anything that touches the database.
pub type Result<T> = std::result::Result<T, Error>;

/// What D1 says when it is not the statement's fault (Cloudflare's "Debug D1" lists them).
const TRANSIENT: [&str; 7] = [
    "overloaded",
    "Network connection lost",
    "caused object to be reset",
    "reset because its code was updated",
    "Cannot resolve D1 DB due to transient issue",
    "exceeded its CPU time limit",
    "exceeded its memory limit",
];

/// What D1 and SQLite say of a database that can grow no more.
const FULL: [&str; 3] = [
    "Exceeded maximum DB size",
    "database or disk is full",
    "SQLITE_FULL",
];

impl Error {
    /// Whether the batch may have been carried out all the same: the connection to the database was lost, or the database was restarted
    /// while it worked. One that is overloaded says so before it begins.
    pub fn may_have_happened(&self) -> bool {
        let before = ["overloaded", "Cannot resolve"];
        matches!(self, Error::Overloaded(message) if !before.iter().any(|sign| message.contains(sign)))
    }

    /// Reads SQLite's message, the only thing that D1 tells of an error. Called by database adapters alone.
    pub fn from_message(message: &str) -> Self {
        if let Some(guard) = Guard::ALL
            .into_iter()
            .find(|guard| message.contains(guard.word()))
        {
            return Error::Guard(guard);
        }
        if let Some((_, rest)) = message.split_once(MANAGED) {
            let is_id = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
            return Error::Managed(rest.chars().take_while(is_id).collect());
        }
        if let Some((_, columns)) = message.split_once("UNIQUE constraint failed: ") {
            return Error::Conflict(constraint(columns));
        }
        if TRANSIENT.iter().any(|sign| message.contains(sign)) {
            return Error::Overloaded(message.to_owned());
        }
        if FULL.iter().any(|sign| message.contains(sign)) {
            return Error::Full(message.to_owned());
        }
        if message.contains("TOOBIG") || message.contains("too big") {
            return Error::TooLarge(message.to_owned());
        }
        Error::Backend(message.to_owned())
    }
}

fn constraint(columns: &str) -> Constraint {
    let has = |column: &str| columns.contains(column);
    if has("users.user_name_key") {
        Constraint::UserName
    } else if has("groups.unique_name_key") {
        Constraint::GroupDisplayName
    } else if has("group_members.member_id") {
        Constraint::Membership
    } else if has("identity_providers.name_key") {
        Constraint::IdentityProviderName
    } else if has("group_mappings.internal_group_id") {
        Constraint::GroupMapping
    } else if has("tenants.id") {
        Constraint::TenantId
    } else {
        Constraint::Other
    }
}
