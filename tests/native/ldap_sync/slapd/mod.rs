//! Syncs of a real directory.

mod awkward;
mod life;
