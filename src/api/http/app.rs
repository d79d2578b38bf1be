//! The application: its settings, the world outside, and what it remembers.

use std::rc::Rc;

use crate::auth::memory::Memory;
use crate::change::Recent;
use crate::config::Config;
use crate::platform::Platform;

/// The application. A request is answered by `App::handle`.
pub struct App {
    pub config: Config,
    pub platform: Platform,
    pub memory: Rc<Memory>,
    /// Resources that it has shown or written lately.
    pub recent: Rc<Recent>,
}
