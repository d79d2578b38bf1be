//! Schemas are constants, where all tenants have them, or a tenant's own, which are read at run time. Both are the same to whoever asks.

use std::ops::Deref;
use std::sync::Arc;

/// A schema or an attribute, cheap to copy.
#[derive(Debug)]
pub enum Shared<T: 'static> {
    Constant(&'static T),
    Own(Arc<T>),
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        match self {
            Shared::Constant(one) => Shared::Constant(one),
            Shared::Own(one) => Shared::Own(Arc::clone(one)),
        }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Shared::Constant(one) => one,
            Shared::Own(one) => one,
        }
    }
}

impl<T> From<&'static T> for Shared<T> {
    fn from(one: &'static T) -> Self {
        Shared::Constant(one)
    }
}

impl<T> From<&Arc<T>> for Shared<T> {
    fn from(one: &Arc<T>) -> Self {
        Shared::Own(Arc::clone(one))
    }
}

/// Attributes, in their order.
#[derive(Debug)]
pub enum List<T: 'static> {
    Constant(&'static [T]),
    Own(Vec<Arc<T>>),
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        match self {
            List::Constant(all) => List::Constant(all),
            List::Own(all) => List::Own(all.clone()),
        }
    }
}

impl<T> List<T> {
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let (constant, own) = match self {
            List::Constant(all) => (*all, [].as_slice()),
            List::Own(all) => ([].as_slice(), all.as_slice()),
        };
        constant.iter().chain(own.iter().map(Deref::deref))
    }

    /// All of them, to keep.
    pub fn shared(&self) -> Vec<Shared<T>> {
        match self {
            List::Constant(all) => all.iter().map(Shared::Constant).collect(),
            List::Own(all) => all.iter().map(Shared::from).collect(),
        }
    }

    /// The first that a test holds for.
    pub fn find(&self, test: impl Fn(&T) -> bool) -> Option<Shared<T>> {
        match self {
            List::Constant(all) => all.iter().find(|one| test(one)).map(Shared::Constant),
            List::Own(all) => all.iter().find(|one| test(one)).map(Shared::from),
        }
    }
}

/// Texts, in their order.
#[derive(Debug, Clone)]
pub enum Texts {
    Constant(&'static [&'static str]),
    Own(Vec<String>),
}

impl Texts {
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (constant, own) = match self {
            Texts::Constant(all) => (*all, [].as_slice()),
            Texts::Own(all) => ([].as_slice(), all.as_slice()),
        };
        constant
            .iter()
            .copied()
            .chain(own.iter().map(String::as_str))
    }
}
