//! Syncs of a real directory.

mod awkward;
mod crashes;
mod extensions;
mod left;
mod life;
mod managed;
mod mappings;
mod moved;
mod named;
mod size;
