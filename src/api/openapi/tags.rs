//! Under which headings the document shows operations.

pub const TENANTS: &str = "Tenants";
pub const SCIM_TOKENS: &str = "SCIM tokens";
pub const IDENTITY_PROVIDERS: &str = "Identity providers";
pub const SETUP: &str = "Set-up links";
pub const HAPPENED: &str = "What happened";
pub const EVENTS: &str = "Events";
pub const SCIM: &str = "SCIM";
pub const MONITORING: &str = "Service";
