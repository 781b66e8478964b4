//! `completions`, and the words that a shell asks for.

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

/// Returns the words for the last word of a line, as bash asks for them; hidden ones come after all others.
fn words(world: &mut World, line: &str) -> Vec<String> {
    world.set("COMPLETE", "bash");
    world.set("_CLAP_COMPLETE_INDEX", &line.matches(' ').count().to_string());
    world.set("_CLAP_IFS", "|");
    let outcome = world.run_words(["--"].into_iter().chain(line.split(' ')));
    world.unset("COMPLETE");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{line}: {outcome}");
    let words = outcome.stdout.split('|').map(|word| word.trim_end().to_owned());
    words.filter(|word| !word.is_empty() && !word.starts_with("--")).collect()
}

#[test]
fn keys_plans_and_codes_are_completed() {
    let mut world = World::with("contacts:\n  ada: {email: ada@example.com}\n  bo: {emial: bo@example.com}\n");
    world.write("people/eve.yaml", "contacts:\n  eve: {email: eve@example.com}\n");
    // A file with mistakes has keys, too.
    assert_eq!(words(&mut world, "contactsd plan --target "), ["ada", "bo"]);
    assert_eq!(words(&mut world, "contactsd plan --target contact.a"), ["contact.ada"]);
    assert_eq!(words(&mut world, "contactsd --dir people plan --exclude "), ["eve"]);
    assert_eq!(words(&mut world, "contactsd apply --dir=people --sandbox --create "), ["eve"]);
    assert_eq!(words(&mut world, "contactsd explain e01")[..2], ["E010", "E011"]);
    world.team("contacts:\n  ada: {email: ada@example.com}\n");
    for line in ["plan --sandbox --out team.plan", "apply --sandbox --auto-approve"] {
        assert_eq!(world.run(line).code, Some(0), "{line}");
    }
    world.team("contacts:\n  bo: {email: bo@example.com}\n");
    for verb in ["show", "rm", "mv"] {
        assert_eq!(words(&mut world, &format!("contactsd state {verb} --sandbox ")), ["ada"], "{verb}");
    }
    assert_eq!(words(&mut world, "contactsd state show "), [""; 0], "there is no state but that of the sandbox");
    world.write("no.plan", "{}");
    assert_eq!(words(&mut world, "contactsd show t"), ["team.plan"]);
    assert!(!words(&mut world, "contactsd apply ").contains(&"no.plan".to_owned()));
}

#[test]
fn flags_that_help_leaves_out_are_not_completed() {
    let mut world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.run(&format!("completions {shell}")).stdout;
        assert!(!script.contains("answer-timeout"), "{shell}");
        world.set("COMPLETE", shell);
        let asking = world.run("");
        assert_eq!((asking.code, asking.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(asking.stdout.contains("COMPLETE"), "{shell}: {asking}");
        // The variable may be meant for another program.
        assert!(world.run("version").stdout.starts_with(concat!("contactsd ", env!("CARGO_PKG_VERSION"), " (")));
        world.unset("COMPLETE");
    }
    world.set("COMPLETE", "bash");
    world.set("_CLAP_COMPLETE_INDEX", "2");
    let flags = world.run_words(["--", "contactsd", "version", "--"]).stdout;
    assert!(flags.contains("--json") && !flags.contains("--state") && !flags.contains("--answer"), "{flags}");
}
