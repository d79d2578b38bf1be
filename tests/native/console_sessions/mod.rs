//! Signing in to the console by Cloudflare Access: what is taken for its JWT, what it is exchanged for, and whom the settings give what.

mod assertions;
mod settings;
mod tokens;
