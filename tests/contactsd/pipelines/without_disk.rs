//! Runners that are made again for each job: the state is fetched from a bucket and kept there.

use std::fs;

use contactsd::sandbox::Action;

use super::hosting::Repository;
use super::{TEAM, comment, digest};

/// Nothing personal stays behind on the runner, whatever became of a job.
#[track_caller]
fn left_nothing(repository: &Repository) {
    for entry in fs::read_dir(repository.world.path("temp")).unwrap() {
        let path = entry.unwrap().path();
        assert!(!fs::read_to_string(&path).unwrap().contains("ada@example.com"), "{}", path.display());
    }
}

#[test]
fn a_state_goes_from_job_to_job_as_a_copy() {
    for repository in Repository::of_each_without_disk(TEAM) {
        let planned = repository.plan();
        assert!(planned.iter().all(|outcome| outcome.code == Some(0)), "{}", planned.last().unwrap());
        repository.merge();
        let applied = repository.apply("");
        assert_eq!(applied.code, Some(0), "{applied}");
        assert!(repository.kept().contains("ada@example.com"));
        left_nothing(&repository);
        assert_eq!(repository.drift().code, Some(0), "the copy says that all is done");
        repository.remote.take_calls();
        let again = repository.apply("");
        assert_eq!(again.code, Some(0), "{again}");
        assert_eq!(repository.remote.take_calls(), [""; 0]);
        repository.world.edit("contacts.d/team.yaml", "Engineer", "Director");
        repository.plan();
        assert!(comment(&repository).contains("\nPlan: 0 to add, 1 to change, "), "{}", comment(&repository));
        let applied = repository.apply("");
        assert_eq!(applied.code, Some(0), "{applied}");
        assert_eq!(repository.remote.column("title"), ["Director"]);
        assert_eq!(repository.remote.contacts().len(), 1);
        for text in [&applied.stdout, &applied.stderr] {
            assert!(!text.contains("ada@example.com"), "personal data in a log: {text}");
        }
        left_nothing(&repository);
    }
}

#[test]
fn an_apply_that_fails_keeps_what_it_left_in_doubt() {
    for mut repository in Repository::of_each_without_disk(TEAM) {
        repository.world.set("CONTACTSD_BATCH", "1");
        repository.world.set("CONTACTSD_SETTLE_AFTER", "0s");
        repository.plan();
        repository.merge();
        repository.remote.set_faults("create:lost-reply=1");
        let failed = repository.apply("");
        assert_eq!(failed.code, Some(1), "{failed}");
        repository.remote.set_faults("");
        goes_on(&repository);
    }
}

#[cfg(feature = "failpoints")]
#[test]
fn an_apply_that_is_killed_keeps_what_it_did() {
    for step in ["answer-received:1", "intent-written:1"] {
        for mut repository in Repository::of_each_without_disk(TEAM) {
            repository.world.set("CONTACTSD_SETTLE_AFTER", "0s");
            repository.world.set("CONTACTSD_BATCH", "1");
            repository.plan();
            repository.merge();
            repository.world.set("CONTACTSD_FAILPOINT", step);
            let killed = repository.apply("");
            assert!(!matches!(killed.code, Some(0 | 1)), "killed at {step}: {killed}");
            repository.world.unset("CONTACTSD_FAILPOINT");
            goes_on(&repository);
        }
    }
}

/// Has another runner go on from the copy; the plan is another one, which a person approves.
#[track_caller]
fn goes_on(repository: &Repository) {
    assert!(repository.kept().contains("\n{\"rows\":"), "{}", repository.kept());
    let knows = |table: &str| repository.kept().contains(&format!("\n{{\"key\":\"{table}/"));
    assert!(knows("i") || knows("b"), "{}", repository.kept());
    left_nothing(repository);
    let refused = repository.apply("");
    let page = repository.shown(&refused);
    if page.contains("Digest: ") && refused.code != Some(0) {
        let applied = repository.apply(&digest(&page));
        assert_eq!(applied.code, Some(0), "{applied}");
    }
    assert_eq!(repository.remote.contacts().len(), 1, "{:#?}", repository.remote.contacts());
    assert_eq!(repository.remote.requests(Action::Create), 1, "who is known is not sent again");
    assert_eq!(repository.drift().code, Some(0));
}

#[test]
fn a_copy_that_is_missing_or_cut_is_never_taken_for_a_first_run() {
    for repository in Repository::of_each_without_disk(TEAM) {
        repository.plan();
        repository.merge();
        assert_eq!(repository.apply("").code, Some(0));
        let (kept, before) = (repository.kept(), comment(&repository));
        repository.remote.take_calls();
        repository.world.edit("contacts.d/team.yaml", "Engineer", "Director");
        for cut in [Some(&kept[..kept.len() / 2]), None] {
            match cut {
                Some(text) => repository.keep(text),
                None => fs::remove_file(repository.world.path("hub/bucket/people/state.jsonl")).unwrap(),
            }
            assert_eq!(repository.plan().last().unwrap().code, Some(1));
            assert_eq!(comment(&repository), before, "no plan is shown that knows of nobody");
            assert_eq!(repository.apply("").code, Some(1));
            assert_eq!(repository.drift().code, Some(1));
            assert_eq!(repository.remote.take_calls(), [""; 0]);
            assert_eq!(
                repository.world.path("hub/bucket/people/state.jsonl").exists(),
                cut.is_some(),
                "nothing is kept"
            );
            left_nothing(&repository);
        }
    }
}

#[test]
fn a_copy_that_cannot_be_kept_fails_the_job() {
    for repository in Repository::of_each_without_disk(TEAM) {
        repository.plan();
        repository.merge();
        repository.world.write("hub/bucket-is-read-only", "");
        let applied = repository.apply("");
        assert_eq!(applied.code, Some(1), "{applied}");
        assert!(applied.stderr.contains("upload failed"), "{applied}");
        left_nothing(&repository);
        assert_eq!(repository.kept(), "");
    }
}

#[test]
fn nothing_is_kept_of_what_was_never_applied() {
    for repository in Repository::of_each_without_disk("contacts: {}\n") {
        assert_eq!(repository.apply("").code, Some(0));
        assert_eq!(repository.kept(), "");
    }
}
