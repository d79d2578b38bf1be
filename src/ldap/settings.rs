//! What it takes to reach a directory.

pub use crate::platform::TcpSecurity as Security;
use crate::secret::Secret;

/// Where a directory is, and as whom it is read.
#[derive(Clone)]
pub struct Settings {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// A DN, or what else the server takes for a name. Empty together with the password for an anonymous bind.
    pub bind_dn: String,
    pub bind_password: Secret,
    /// Most entries in a page that is asked for. Active Directory gives 1,000 at most.
    pub page_size: u32,
    /// For each wait, in milliseconds.
    pub timeout_ms: u32,
    /// Whether this is local development, where the host may be this machine.
    pub local_development: bool,
}
