//! Conversations with identity providers, replayed (`tests/fixtures/idp`).

use crate::support::fixtures::{is_strict, names, replay};

macro_rules! conversations {
    ($($name:ident)*) => {
        /// Every file that has a test.
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[expect(non_snake_case, reason = "named like its file")]
            mod $name {
                use super::{is_strict, replay};

                #[test]
                fn works_in_compat() {
                    replay(stringify!($name), "compat").unwrap_or_else(|error| panic!("{error}"));
                }

                #[test]
                fn is_held_to_the_rfc_in_strict() {
                    if is_strict(stringify!($name)) {
                        replay(stringify!($name), "strict").unwrap_or_else(|error| panic!("{error}"));
                    }
                }
            }
        )*
    };
}

conversations! {
    E01 E02 E03 E04 E05 E06 E07 E08 E09 E10 E11 E12 E13 E14 E15 E16 E17 E18 E19 E20 E21 E22
    O01 O02 O03 O04 O05 O06 O07 O08 O09
    N01 J01 P01 G01 S01 R01
}

#[test]
fn every_conversation_has_a_test() {
    let mut named: Vec<&str> = TESTED.to_vec();
    named.sort_unstable();
    assert_eq!(named, names());
}
