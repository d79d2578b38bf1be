//! Syncs of a real directory.

mod awkward;
mod crashes;
mod left;
mod life;
mod managed;
mod mappings;
mod moved;
mod named;
mod size;
