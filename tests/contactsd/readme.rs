//! What the README and the pages beside it show is what the program does.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anstyle_svg::{Term, WIN10_CONSOLE};

use crate::support::World;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
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
    let tour = page("docs/tour.md");
    let world = samples();
    assert_eq!(world.run("apply --sandbox --auto-approve").code, Some(0));
    world.edit("contacts.d/engines.yaml", "title: Analyst", "title: Chief Analyst");
    fs::remove_file(world.path("contacts.d/consultants/inigo.yaml")).unwrap();
    let otto = tour.split("printf '").nth(1).unwrap().split("' > contacts.d/otto.yaml").next().unwrap();
    world.write("contacts.d/otto.yaml", &otto.replace("\\n", "\n"));
    world
}

/// Puts the same ids and digest in place of those that are drawn at random.
fn without_chance(text: &str) -> String {
    let mut ids = Vec::new();
    let mut fixed = |word: &str| match (word.len(), word.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        (32, true) => "70fe07958c661c1ec93ddc92b92f36d0".to_owned(),
        (24, true) => {
            let known = ids.iter().position(|id| id == word);
            let number = known.unwrap_or_else(|| {
                ids.push(word.to_owned());
                ids.len() - 1
            });
            format!("66f0c1{:018x}", number + 1)
        }
        _ => word.to_owned(),
    };
    let pieces = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let fixed = pieces.map(|piece| {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        format!("{}{}", fixed(word), &piece[word.len()..])
    });
    fixed.collect()
}

#[test]
fn the_plan_at_the_top_is_what_the_tour_gives() {
    let readme = page("README.md");
    let plan = toured().run("plan --sandbox --concise");
    let shown = blocks(&readme, "text")[0].strip_prefix("$ contactsd plan --sandbox --concise\n").unwrap();
    assert_eq!(without_chance(shown), without_chance(plan.stdout.trim_end()));
}

/// Compares a picture with the one that is kept. After a change that is meant, `UPDATE_GOLDEN=1 cargo test readme` draws it again.
#[expect(clippy::disallowed_methods, reason = "the one variable that has pictures drawn again")]
fn compare_picture(name: &str, drawn: &str) {
    let path = root().join("docs/images").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, drawn).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), drawn);
}

#[test]
fn the_picture_is_what_the_tour_gives() {
    let plan = toured().run("plan --sandbox --color always");
    compare_picture("plan.svg", &Term::new().palette(WIN10_CONSOLE).render_svg(&without_chance(&plan.stdout)));
}

/// A run from the first plan to `No changes.`: each command and what it prints, one after the other, as in a terminal.
#[test]
fn the_recorded_run_is_what_the_commands_print() {
    let world = toured();
    let mut shown = String::new();
    // The first line of each part, by which the picture knows when to show it.
    let mut parts = Vec::new();
    for command in ["plan --sandbox --concise", "-q apply --sandbox --auto-approve", "plan --sandbox"] {
        let outcome = world.run(&format!("{command} --color always"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{command}");
        parts.push(shown.lines().count());
        writeln!(shown, "\x1b[1m$ contactsd {command}\x1b[0m").unwrap();
        parts.push(shown.lines().count());
        shown += &outcome.stdout;
        shown.push('\n');
    }
    let still = Term::new().palette(WIN10_CONSOLE).render_svg(&without_chance(shown.trim_end()));
    compare_picture("run.svg", &played(&still, &parts));
}

/// Lets the lines of a picture appear part by part, two seconds each, for whoever wants motion.
fn played(still: &str, parts: &[usize]) -> String {
    let mut rules =
        String::from("    @keyframes appear { from { visibility: hidden; } to { visibility: visible; } }\n");
    rules += "    @media (prefers-reduced-motion: no-preference) {\n";
    for part in 1..parts.len() {
        writeln!(rules, "      .part-{part} {{ animation: appear 1ms {}s both; }}", 2 * part).unwrap();
    }
    rules += "    }\n  </style>";
    let mut line = 0;
    let lines = still.replace("  </style>", &rules);
    let lines = lines.split_inclusive('\n').map(|text| match text.strip_prefix("    <tspan x=") {
        Some(rest) => {
            let part =
                parts.iter().rposition(|first| *first <= line).expect("the first part begins with the first line");
            line += 1;
            format!("    <tspan class=\"part-{part}\" x={rest}")
        }
        None => text.to_owned(),
    });
    lines.collect()
}

#[test]
fn the_comment_shown_is_what_the_tour_gives() {
    let reviewing = page("docs/reviewing.md");
    let page = toured().run("plan --sandbox --format markdown").stdout;
    let shown = reviewing.split("\n````markdown\n").nth(1).unwrap().split("\n````").next().unwrap();
    let (page_before, rest) = page.split_once("</summary>\n").unwrap();
    let (_, page_after) = rest.split_once("</details>").unwrap();
    let (_invisible, page_before) = page_before.split_once('\n').unwrap();
    let page = format!("{page_before}</summary>\n...\n</details>{page_after}");
    let digest = |text: &str| text.split("Digest: `").nth(1).unwrap()[..32].to_owned();
    assert_eq!(shown.replace(&digest(shown), "DIGEST"), page.trim_end().replace(&digest(&page), "DIGEST"));
}

#[test]
fn the_contact_files_shown_are_valid() {
    let pages = [page("README.md"), page("docs/contact-files.md")];
    let files: Vec<&str> = pages.iter().flat_map(|page| blocks(page, "yaml")).collect();
    assert!(files.len() >= 2);
    for file in files {
        let world = World::with(file);
        let outcome = world.run("validate");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{file}");
    }
}

#[test]
fn the_settings_shown_are_understood() {
    let settings = page("docs/settings.md");
    let world = World::new();
    world.write("contactsd.toml", blocks(&settings, "toml")[0]);
    world.write("people/ada.yaml", "contacts:\n  ada: {email: ada@example.com}\n");
    let outcome = world.run("plan");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn it_opens_with_what_it_is_and_two_commands() {
    let readme = page("README.md");
    let commands = blocks(&readme, "console");
    assert_eq!(commands[0], "$ cargo run --release -- apply --sandbox --auto-approve");
    assert_eq!(commands[1], "$ cargo test");
}
