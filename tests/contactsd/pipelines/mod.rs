//! The pipelines of `examples/`: their scripts are run as they stand, so that they cannot rot.

mod database;
mod files;
mod hosting;
mod installing;
mod without_disk;

use hosting::Repository;

const TEAM: &str = "contacts:\n  ada:\n    title: Engineer\n    email: ada@example.com\n";

/// Most characters that GitHub takes in a comment.
const LIMIT: usize = 65_536;

fn digest(page: &str) -> String {
    let line = page.lines().rev().find_map(|line| line.strip_prefix("Digest: `")?.strip_suffix('`'));
    line.unwrap_or_else(|| panic!("no digest in:\n{page}")).to_owned()
}

/// Returns the one comment that there is.
#[track_caller]
fn comment(repository: &Repository) -> String {
    let pages = repository.pages();
    assert_eq!(pages.len(), 1, "{pages:#?}");
    assert!(pages[0]["collection"].as_str().unwrap().contains("/7/"), "{pages:#?}");
    pages[0]["body"].as_str().unwrap().to_owned()
}

#[test]
fn a_change_gets_one_comment_that_follows_it() {
    for repository in Repository::of_each(TEAM) {
        let outcomes = repository.plan();
        assert!(outcomes.iter().all(|outcome| outcome.code == Some(0)), "{}", outcomes.last().unwrap());
        let first = comment(&repository);
        assert!(first.starts_with("<!-- contactsd plan: contacts.d -->\n") && first.len() <= LIMIT, "{first}");
        assert!(first.contains("\nPlan: 1 to add, "), "{first}");
        assert!(!first.contains("ada@example.com"), "personal data under a change: {first}");
        repository.world.edit("contacts.d/team.yaml", "Engineer", "Director");
        assert_eq!(repository.plan().pop().unwrap().code, Some(0));
        assert_ne!(digest(&comment(&repository)), digest(&first));
    }
}

#[test]
fn a_comment_fits_however_large_the_plan_is() {
    let people: Vec<String> = (0..2000).map(|n| format!("  k{n}:\n    email: k{n}@example.com\n")).collect();
    for repository in Repository::of_each(&format!("contacts:\n{}", people.join("\n"))) {
        assert_eq!(repository.plan().pop().unwrap().code, Some(0));
        let page = comment(&repository);
        assert!(page.len() <= LIMIT && page.contains("\nPlan: 2000 to add, "), "{page}");
        digest(&page);
    }
}

#[test]
fn a_mistake_fails_the_checks_and_is_said_in_the_comment() {
    for repository in Repository::of_each("contacts:\n  ada: {email: nobody}\n") {
        let outcomes = repository.plan();
        assert_eq!(outcomes.len(), 3);
        assert!(outcomes.iter().all(|outcome| outcome.code == Some(1)), "{}", outcomes[1]);
        assert!(comment(&repository).contains("**Planning failed.**"));
    }
    for repository in Repository::of_each("contacts:\n  ada: {  email:   ada@example.com}\n") {
        let codes: Vec<_> = repository.plan().iter().map(|outcome| outcome.code).collect();
        assert_eq!(codes, [Some(0), Some(1), Some(0)], "the form alone is wrong");
    }
}

#[test]
fn what_cannot_even_be_asked_leaves_all_comments_alone() {
    for repository in Repository::of_each(TEAM) {
        repository.plan();
        let before = comment(&repository);
        repository.world.write("contactsd.toml", "no-such-setting = 1\n");
        assert_eq!(repository.plan().pop().unwrap().code, Some(1));
        assert_eq!(comment(&repository), before);
    }
}

#[test]
fn what_was_reviewed_is_applied_after_the_merge_and_once() {
    for repository in Repository::of_each(TEAM) {
        repository.plan();
        repository.merge();
        let applied = repository.apply("");
        assert_eq!(applied.code, Some(0), "{applied}");
        assert_eq!(applied.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
        assert_eq!(repository.remote.column("title"), ["Engineer"]);
        for text in [&applied.stdout, &applied.stderr] {
            assert!(!text.contains("ada@example.com") && !text.contains("Engineer"), "personal data in a log: {text}");
        }
        repository.remote.take_calls();
        let again = repository.apply("");
        assert_eq!(again.code, Some(0), "{again}");
        assert_eq!(repository.remote.take_calls(), [""; 0]);
    }
}

#[test]
fn what_was_not_reviewed_waits_for_a_person() {
    for repository in Repository::of_each(TEAM) {
        repository.plan();
        repository.merge();
        repository.world.edit("contacts.d/team.yaml", "Engineer", "Director");
        let other = repository.apply("");
        assert_eq!(other.code, Some(1), "{other}");
        assert!(other.stderr.contains("The plan is not the expected one"), "{other}");
        repository.shown(&other);
        repository.push_directly();
        let direct = repository.apply("");
        assert_eq!(direct.code, Some(1), "{direct}");
        assert!(direct.stdout.contains("No plan of this was reviewed."), "{direct}");
        assert_eq!(repository.remote.take_calls(), [""; 0]);
        let approved = repository.apply(&digest(&repository.shown(&direct)));
        assert_eq!(approved.code, Some(0), "{approved}");
        assert_eq!(repository.remote.column("title"), ["Director"]);
    }
}

#[test]
fn drift_is_an_issue_until_it_is_gone() {
    for repository in Repository::of_each(TEAM) {
        for title in ["Engineer", "Director"] {
            repository.world.team(&TEAM.replace("Engineer", title));
            let drift = repository.drift();
            assert_eq!(drift.code, Some(2), "{drift}");
            let issues = repository.pages();
            assert_eq!(issues.len(), 1, "{issues:#?}");
            let page = issues[0]["body"].as_str().or(issues[0]["description"].as_str()).unwrap();
            assert!(page.contains("\nPlan: 1 to add, ") && !page.contains(title), "{page}");
            assert_eq!(issues[0]["open"], true);
        }
        repository.plan();
        repository.merge();
        assert_eq!(repository.apply("").code, Some(0));
        let none = repository.drift();
        assert_eq!(none.code, Some(0), "{none}");
        assert_eq!(repository.pages()[0]["open"], false);
        // Somebody changes it in Apollo, and back.
        let id = repository.remote.contacts()[0]["id"].as_str().unwrap().to_owned();
        for (title, code) in [("Boss", 2), ("Director", 0)] {
            repository.remote.edit(&id, &serde_json::json!({"title": title}));
            let drift = repository.drift();
            assert_eq!(drift.code, Some(code), "{drift}");
            let issues: Vec<_> = repository.pages().into_iter().filter(|page| page["title"].is_string()).collect();
            assert_eq!(issues.iter().filter(|issue| issue["open"] == true).count(), usize::from(code == 2));
        }
        repository.world.team("contacts:\n  ada: {email: nobody}\n");
        assert_eq!(repository.drift().code, Some(1));
        let issues: Vec<_> = repository.pages().into_iter().filter(|page| page["title"].is_string()).collect();
        assert_eq!(
            issues.iter().map(|issue| issue["open"].as_bool()).collect::<Vec<_>>(),
            [Some(false), Some(false), Some(true)]
        );
    }
}
