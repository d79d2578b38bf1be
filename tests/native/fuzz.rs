//! The fuzzer's targets without the fuzzer: their seeds, and mutations of them, for a moment. `npm run fuzz` does it thoroughly.

#[path = "../fuzz/src/outside.rs"]
mod outside;
#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Mutations of each target's seeds.
const MUTATIONS: usize = 400;

/// A target's seeds: the lines of its file; what is no text stands there in hexadecimal.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let lines = std::fs::read_to_string(format!("tests/fuzz/seeds/{name}.txt")).expect("seeds");
    lines
        .lines()
        .map(|line| match line.strip_prefix("hex:") {
            Some(digits) => hex(digits),
            None => line.replace("\\n", "\n").into_bytes(),
        })
        .collect()
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("digits")
        })
        .collect()
}

/// Random enough, and the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).expect("it is below a usize")
    }
}

/// A seed with a few places changed: a byte, a piece that goes, comes twice or comes from another seed.
fn mutated(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut data = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let from = numbers.below(data.len());
        let to = (from + numbers.below(24)).min(data.len());
        match numbers.below(5) {
            0 if !data.is_empty() => {
                data[from] = b"\0\"\\[](){}.:,%=*\xff\x80a1-\x0c"[numbers.below(21)]
            }
            1 if !data.is_empty() => data[from] ^= 1 << numbers.below(8),
            2 => drop(data.drain(from..to)),
            3 => {
                let piece = data[from..to].to_vec();
                drop(data.splice(from..from, piece));
            }
            _ => {
                let other = &seeds[numbers.below(seeds.len())];
                let start = numbers.below(other.len());
                let end = (start + numbers.below(64)).min(other.len());
                drop(data.splice(from..to, other[start..end].iter().copied()));
            }
        }
    }
    data
}

#[test]
fn seeds_and_mutations_of_them_break_nothing() {
    for (name, target) in targets::ALL {
        let seeds = seeds(name);
        let mut numbers = Numbers(0x5EED);
        let mutations = (0..MUTATIONS).map(|_| mutated(&seeds, &mut numbers));
        let tried: Vec<Vec<u8>> = seeds.iter().cloned().chain(mutations).collect();
        for data in tried {
            let held = catch_unwind(AssertUnwindSafe(|| target(&data))).is_ok();
            assert!(held, "{name} with {:?}", String::from_utf8_lossy(&data));
        }
    }
}
