//! What filters and sorting select, case by case.

use crate::support::World;

#[test]
fn a_filter_that_compares_nothing_has_a_total() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("anna");
    assert_eq!(tenant.find("userName pr"), ["anna"]);
    assert_eq!(tenant.find("not (title pr)"), ["anna"]);
    assert!(tenant.find("title pr").is_empty());
}
