//! Unicode's canonical normal forms (UAX #15), NFD and NFC, of texts.

use super::characters::{combining_class, compose, decompose};

/// The canonical decomposition: NFD.
pub fn decomposed(text: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    with_classes(text).into_iter().map(|(_, c)| c)
}

/// The canonical decomposition, composed again: NFC.
pub fn composed(text: impl Iterator<Item = char>) -> String {
    let mut all: Vec<char> = Vec::new();
    // Where the last starter is, to which marks can be added, and the class of what stands last behind it.
    let mut starter: Option<usize> = None;
    let mut last_class = 0;
    for (class, c) in with_classes(text) {
        let is_next = starter.is_some_and(|starter| starter + 1 == all.len());
        let is_blocked = !is_next && last_class >= class;
        if let Some(base) = starter.and_then(|starter| all.get_mut(starter))
            && !is_blocked
            && let Some(both) = compose(*base, c)
        {
            *base = both;
            continue;
        }
        if class == 0 {
            starter = Some(all.len());
        }
        last_class = class;
        all.push(c);
    }
    all.into_iter().collect()
}

/// Decomposed, with the combining classes (0 for a starter), by which the marks behind a starter are in order.
fn with_classes(text: impl Iterator<Item = char>) -> Vec<(u32, char)> {
    let mut all = Vec::with_capacity(text.size_hint().0);
    for c in text {
        decompose(c, &mut |part| all.push((combining_class(part), part)));
    }
    for part in all.chunk_by_mut(|_, (class, _)| *class != 0) {
        part.sort_by_key(|(class, _)| *class);
    }
    all
}
