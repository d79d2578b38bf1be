//! All targets in one program, because linking one takes longer than running it: the variable `TARGET` names the one to run.

#![no_main]

mod outside;
mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let wanted = std::env::var("TARGET").expect("TARGET names a target");
        let known = targets::ALL.iter().find(|(name, _)| *name == wanted);
        known.unwrap_or_else(|| panic!("there is no target {wanted}")).1
    });
    target(data);
});
