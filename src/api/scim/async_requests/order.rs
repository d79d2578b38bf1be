//! In which order the operations of a Bulk request are carried out that are too many for one batch: each after those that it rests on, else as
//! they came (RFC 7644 §3.7 leaves the order to the server).

/// The operations, by their numbers, as runs that have to be carried out together: those that rest on each other in a circle. `needs` has for
/// each operation those that it rests on.
pub fn runs(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let order = ordered(needs);
    let mut places = vec![0; needs.len()];
    for (place, number) in order.iter().enumerate() {
        if let Some(known) = places.get_mut(*number) {
            *known = place;
        }
    }
    let place_of = |number: &usize| places.get(*number).copied().unwrap_or_default();
    let mut runs = Vec::new();
    let mut run = Vec::new();
    let mut end = 0;
    for (place, number) in order.into_iter().enumerate() {
        let needed = needs.get(number).into_iter().flatten().map(place_of);
        end = needed.fold(end.max(place), usize::max);
        run.push(number);
        if place == end {
            run.sort_unstable();
            runs.push(std::mem::take(&mut run));
        }
    }
    runs
}

/// Each after those that it rests on, but for circles: the reverse of the order in which a walk to the dependents, from the last on, comes to
/// an end with them.
fn ordered(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut dependents = vec![Vec::new(); needs.len()];
    for (number, needed) in needs.iter().enumerate() {
        for one in needed {
            if let Some(dependents) = dependents.get_mut(*one) {
                dependents.push(number);
            }
        }
    }
    let mut is_seen = vec![false; needs.len()];
    let mut see = |number: usize| match is_seen.get_mut(number) {
        Some(seen) => !std::mem::replace(seen, true),
        None => false,
    };
    let mut order = Vec::with_capacity(needs.len());
    for start in (0..needs.len()).rev() {
        if !see(start) {
            continue;
        }
        let mut way = vec![start];
        while let Some(number) = way.last().copied() {
            // From the last on, too.
            match dependents.get_mut(number).and_then(Vec::pop) {
                Some(next) if see(next) => way.push(next),
                Some(_) => {}
                None => {
                    order.push(number);
                    way.pop();
                }
            }
        }
    }
    order.reverse();
    order
}
