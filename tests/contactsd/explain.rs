//! `explain`.

use crate::support::World;

#[test]
fn the_page_of_a_code_is_printed_however_it_is_typed() {
    let world = World::new();
    let page = include_str!("../../docs/errors/E011.md");
    for typed in ["E011", "e011", "[E011]"] {
        let outcome = world.run(&format!("explain {typed}"));
        assert_eq!((outcome.code, outcome.stdout.trim_end()), (Some(0), page.trim_end()), "{typed}");
    }
    let outcome = world.run("explain E999");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("there is no code"), "{outcome}");
}
