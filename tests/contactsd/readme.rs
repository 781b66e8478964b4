//! What the README shows is what the program does.

use std::fs;
use std::path::Path;

use crate::support::World;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// Returns the fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// A world with a copy of the sample contacts.
fn samples() -> World {
    let world = World::new();
    let samples = root().join("contacts.d");
    let mut places = vec![samples.clone()];
    while let Some(place) = places.pop() {
        if place.is_dir() {
            places.extend(fs::read_dir(place).unwrap().map(|inner| inner.unwrap().path()));
        } else {
            let below = place.strip_prefix(&samples).unwrap().display();
            world.write(&format!("contacts.d/{below}"), &fs::read_to_string(&place).unwrap());
        }
    }
    world
}

/// A world in which the edits of the tour were made after a first apply.
fn toured() -> World {
    let readme = readme();
    let world = samples();
    assert_eq!(world.run("apply --sandbox --auto-approve").code, Some(0));
    world.edit("contacts.d/engines.yaml", "title: Analyst", "title: Chief Analyst");
    fs::remove_file(world.path("contacts.d/consultants/inigo.yaml")).unwrap();
    let otto = readme.split("printf '").nth(1).unwrap().split("' > contacts.d/otto.yaml").next().unwrap();
    world.write("contacts.d/otto.yaml", &otto.replace("\\n", "\n"));
    world
}

#[test]
fn the_plan_at_the_top_is_what_the_tour_gives() {
    let readme = readme();
    let plan = toured().run("plan --sandbox");
    let shown = blocks(&readme, "text")[0].strip_prefix("$ contactsd plan --sandbox\n").unwrap();
    let without_ids = |text: &str| {
        let is_drawn = |word: &&str| {
            word.trim_matches('"').len() < 24 || !word.trim_matches('"').bytes().all(|b| b.is_ascii_hexdigit())
        };
        let line = |line: &str| line.split(' ').filter(is_drawn).collect::<Vec<_>>().join(" ");
        text.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(without_ids(shown), without_ids(&plan.stdout));
}

#[test]
fn the_comment_shown_is_what_the_tour_gives() {
    let readme = readme();
    let page = toured().run("plan --sandbox --format markdown").stdout;
    let shown = readme.split("\n````markdown\n").nth(1).unwrap().split("\n````").next().unwrap();
    let (page_before, rest) = page.split_once("</summary>\n").unwrap();
    let (_, page_after) = rest.split_once("</details>").unwrap();
    let (_invisible, page_before) = page_before.split_once('\n').unwrap();
    let page = format!("{page_before}</summary>\n...\n</details>{page_after}");
    let digest = |text: &str| text.split("Digest: `").nth(1).unwrap()[..32].to_owned();
    assert_eq!(shown.replace(&digest(shown), "DIGEST"), page.trim_end().replace(&digest(&page), "DIGEST"));
}

#[test]
fn the_contact_files_shown_are_valid() {
    let readme = readme();
    let files = blocks(&readme, "yaml");
    assert!(!files.is_empty());
    for file in files {
        let world = World::with(file);
        let outcome = world.run("validate");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{file}");
    }
}

#[test]
fn the_settings_shown_are_understood() {
    let readme = readme();
    let world = World::new();
    world.write("contactsd.toml", blocks(&readme, "toml")[0]);
    world.write("people/ada.yaml", "contacts:\n  ada: {email: ada@example.com}\n");
    let outcome = world.run("plan");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn it_opens_with_what_it_is_and_two_commands() {
    let readme = readme();
    let commands = blocks(&readme, "console");
    assert_eq!(commands[0], "$ cargo run --release -- apply --sandbox --auto-approve");
    assert_eq!(commands[1], "$ cargo test");
}
