//! `completions`.

use crate::support::World;

#[test]
fn each_shell_gets_a_script_that_knows_every_verb() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = world.run(&format!("completions {shell}"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{shell}");
        for verb in ["validate", "plan", "apply", "watch", "sandbox", "state", "completions", "auto-approve"] {
            assert!(outcome.stdout.contains(verb), "{shell} {verb}");
        }
    }
}
