//! Maps and sets in the order of their keys.
//!
//! They are those of the standard library, but for what they are made of: a tree of keys, and the values in a list beside it. So a tree is
//! compiled once for each type of keys and not for each pair of types, which made a seventh of the first worker.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::collections::btree_map::{self, Keys};

/// A map in the order of its keys.
#[derive(Debug, Clone)]
pub struct OrderedMap<K, V> {
    /// Where the value of a key is.
    places: BTreeMap<K, usize>,
    values: Vec<Option<V>>,
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        OrderedMap {
            places: BTreeMap::new(),
            values: Vec::new(),
        }
    }
}

impl<K: Ord, V> OrderedMap<K, V> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.places.contains_key(key)
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.get(key)?;
        self.values.get(*place)?.as_ref()
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.get(key)?;
        self.values.get_mut(*place)?.as_mut()
    }

    /// Puts a value, and gives the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.slot(key).replace(value)
    }

    /// The value of a key; that one where there is none.
    pub fn or_insert(&mut self, key: K, value: V) -> &mut V {
        self.slot(key).get_or_insert(value)
    }

    /// The value of a key; that which is made where there is none.
    pub fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.slot(key).get_or_insert_with(make)
    }

    /// The value of a key; the default one where there is none.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.slot(key).get_or_insert_with(V::default)
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.places.remove(key)?;
        self.values.get_mut(place)?.take()
    }

    pub fn clear(&mut self) {
        self.places.clear();
        self.values.clear();
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        let values = &mut self.values;
        self.places.retain(|key, place| {
            let Some(value) = values.get_mut(*place) else {
                return false;
            };
            let is_kept = value.as_mut().is_some_and(|value| keeps(key, value));
            if !is_kept {
                *value = None;
            }
            is_kept
        });
    }

    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter {
            places: self.places.iter(),
            values: &self.values,
        }
    }

    pub fn keys(&self) -> Keys<'_, K, usize> {
        self.places.keys()
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// In no promised order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut().flatten()
    }

    pub fn into_keys(self) -> impl Iterator<Item = K> {
        self.places.into_keys()
    }

    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a place is that of a value, or the next one"
    )]
    fn slot(&mut self, key: K) -> &mut Option<V> {
        let next = self.values.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.values.push(None);
        }
        &mut self.values[place]
    }
}

/// What is in a map, in the order of the keys.
pub struct Iter<'m, K, V> {
    places: btree_map::Iter<'m, K, usize>,
    values: &'m [Option<V>],
}

impl<'m, K, V> Iterator for Iter<'m, K, V> {
    type Item = (&'m K, &'m V);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, place) = self.places.next()?;
        Some((key, self.values.get(*place)?.as_ref()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<K: Ord, V> IntoIterator for OrderedMap<K, V> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(self) -> IntoIter<K, V> {
        IntoIter {
            places: self.places.into_iter(),
            values: self.values,
        }
    }
}

/// What was in a map, in the order of the keys.
pub struct IntoIter<K, V> {
    places: btree_map::IntoIter<K, usize>,
    values: Vec<Option<V>>,
}

impl<K, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        let (key, place) = self.places.next()?;
        Some((key, self.values.get_mut(place)?.take()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<'m, K: Ord, V> IntoIterator for &'m OrderedMap<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Iter<'m, K, V>;

    fn into_iter(self) -> Iter<'m, K, V> {
        self.iter()
    }
}

impl<K: Ord, V> Extend<(K, V)> for OrderedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, all: I) {
        for (key, value) in all {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for OrderedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        let mut map = OrderedMap::new();
        map.extend(all);
        map
    }
}

impl<K: Ord, V: PartialEq> PartialEq for OrderedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Ord, V: Eq> Eq for OrderedMap<K, V> {}

/// A set in the order of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderedSet<K>(BTreeMap<K, usize>);

impl<K> Default for OrderedSet<K> {
    fn default() -> Self {
        OrderedSet(BTreeMap::new())
    }
}

impl<K: Ord> OrderedSet<K> {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// Whether it was not there.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, 0).is_none()
    }

    /// Whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).is_some()
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&K) -> bool) {
        self.0.retain(|key, _| keeps(key));
    }

    pub fn first(&self) -> Option<&K> {
        self.iter().next()
    }

    pub fn is_disjoint(&self, other: &Self) -> bool {
        !self.iter().any(|key| other.contains(key))
    }

    pub fn iter(&self) -> Keys<'_, K, usize> {
        self.0.keys()
    }
}

impl<K: Ord> IntoIterator for OrderedSet<K> {
    type Item = K;
    type IntoIter = btree_map::IntoKeys<K, usize>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_keys()
    }
}

impl<'s, K: Ord> IntoIterator for &'s OrderedSet<K> {
    type Item = &'s K;
    type IntoIter = Keys<'s, K, usize>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<K: Ord> Extend<K> for OrderedSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, all: I) {
        for key in all {
            self.insert(key);
        }
    }
}

impl<'k, K: Ord + Copy> Extend<&'k K> for OrderedSet<K> {
    fn extend<I: IntoIterator<Item = &'k K>>(&mut self, all: I) {
        self.extend(all.into_iter().copied());
    }
}

impl<K: Ord> FromIterator<K> for OrderedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(all: I) -> Self {
        let mut set = OrderedSet::new();
        set.extend(all);
        set
    }
}
