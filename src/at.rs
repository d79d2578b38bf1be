//! A failure's place in the code. A sentence for a client has what they sent in it, and the log may not; the place says which sentence it
//! was.

use std::fmt;
use std::panic::Location;

/// Where in the code a failure was made: it stands for the sentence of the failure in the log, without the values in it.
#[derive(Clone, Copy)]
pub struct At(&'static Location<'static>);

impl At {
    /// The place of the caller.
    #[track_caller]
    pub fn here() -> Self {
        At(Location::caller())
    }

    /// The file below `src`, and the line in it.
    pub fn name(self) -> String {
        let file = self.0.file().replace('\\', "/");
        let file = file
            .rsplit_once("src/")
            .map_or(file.as_str(), |(_, below)| below);
        format!("{file}:{}", self.0.line())
    }
}

impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Two failures are the same wherever they were made.
impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for At {}
