//! Saved plans: `plan --out` and what becomes of the file.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use contactsd::sandbox::Action;
use insta::assert_snapshot;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::Signal;
use serde_json::json;

use crate::kill::has_each_once;
use crate::support::{Outcome, Remote, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n";

#[test]
fn a_plan_is_saved_for_its_owner_alone_and_names_the_next_command() {
    let mut world = World::with(TEAM);
    let outcome = world.run("plan --out team.plan");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let (_, end) = outcome.stdout.split_once("Digest: ").unwrap();
    assert_snapshot!(end.split_once('\n').unwrap().1, @"

    ────────────────────────────────────────────────────────────────────────────────────────────────────

    Saved the plan to: team.plan

    To perform exactly these actions, run the following command to apply:
        contactsd apply team.plan
    ");
    let first = fs::read(world.path("team.plan")).unwrap();
    assert_eq!(fs::metadata(world.path("team.plan")).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(!world.path(".contactsd").exists());
    world.set("CI", "true");
    let outcome = world.run("plan --out team.plan --detailed-exitcode");
    assert!(outcome.stdout.ends_with('\n') && !outcome.stdout.contains("Saved the plan"), "{outcome}");
    assert_eq!(outcome.code, Some(2));
    assert_eq!(fs::read(world.path("team.plan")).unwrap(), first, "the same plan is the same file");
}

#[test]
fn a_plan_that_cannot_be_saved_is_an_error() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("plan --out none/team.plan").errors(), @"

    Error: The plan was not saved

    cannot write none/team.plan: No such file or directory (os error 2)
    ");
    assert_eq!(world.run("plan --out none/team.plan").code, Some(1));
    assert_eq!(world.run("plan --out /dev/null").code, Some(1));
}

#[test]
fn only_what_is_gone_is_planned_to_be_recreated() {
    let world = World::with(TEAM);
    let outcome = world.run("plan --recreate ada --out team.plan");
    assert!(outcome.stderr.contains("contact.ada is not gone"), "{outcome}");
    assert_eq!(outcome.code, Some(1));
    assert!(!world.path("team.plan").exists());
}

/// Saves a plan as `team.plan`.
#[track_caller]
fn planned(world: &World, options: &str) -> Outcome {
    let outcome = world.run(&format!("plan --out team.plan {options}"));
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome
}

/// Applies the saved plan, and expects everything to be done.
#[track_caller]
fn applied(world: &World) -> Outcome {
    let outcome = world.run("apply team.plan");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    outcome
}

/// Applies the saved plan, and expects it to be refused for this reason, with nothing sent.
#[track_caller]
fn refused(world: &World, remote: &Remote, summary: &str) -> Outcome {
    remote.take_sent();
    let outcome = world.run("apply team.plan");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stderr.contains(&format!("Error: {summary}\n")), "{outcome}");
    assert_eq!(remote.take_calls(), [""; 0], "{outcome}");
    outcome
}

#[test]
fn a_saved_plan_is_applied_without_asking_and_only_once() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote).one_by_one();
    planned(&world, "");
    assert_snapshot!(world.run("apply team.plan --parallelism 1"), @"
    contact.ada: Creating...
    contact.ada: Creation complete after 0s [id=[ID1]]
    contact.bo: Creating...
    contact.bo: Creation complete after 0s [id=[ID2]]
    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.
    [exit 0]
    ");
    assert_eq!(remote.column("title"), ["Engineer", ""]);
    assert_snapshot!(refused(&world, &remote, "Saved plan was already applied").errors(), @"

    Error: Saved plan was already applied

    All its 2 actions are done, and nothing was sent again.
    Make a new plan: contactsd plan --out team.plan --api-url http://127.0.0.1:[PORT]/api/v1
    ");
    world.applied().is_clean();
    // The state knows it too, whatever the file says.
    keep_lines(&world, |line| !is_mark(line));
    refused(&world, &remote, "Saved plan was already applied");
}

fn plan_lines(world: &World) -> Vec<String> {
    fs::read_to_string(world.path("team.plan")).unwrap().lines().map(str::to_owned).collect()
}

fn keep_lines(world: &World, keep: impl Fn(&str) -> bool) {
    let lines: Vec<String> = plan_lines(world).into_iter().filter(|line| keep(line)).collect();
    world.write("team.plan", &(lines.join("\n") + "\n"));
}

fn is_mark(line: &str) -> bool {
    line.starts_with("{\"begun\"") || line.starts_with("{\"spent\"")
}

#[test]
fn a_plan_of_every_kind_of_action_is_applied_as_saved() {
    let remote = Remote::start();
    let known = remote.seed(json!({"email": "gil@example.com"}));
    let world = World::with(
        "contacts:\n  ada: {email: ada@example.com, title: Engineer}\n  bo: {email: bo@example.com}\n  \
         cy: {email: cy@example.com, label_names: [North]}\n  di: {email: di@example.com, title: Clerk}\n  \
         ed: {email: ed@example.com}\n  fay: {email: fay@example.com}\n",
    )
    .against(&remote);
    world.applied();
    world.edit("contacts.d/team.yaml", "  fay: {email: fay@example.com}\n", "");
    world.applied();
    world.team(&format!(
        "contacts:\n  ada: {{email: ada@example.com, title: Director}}\n  beau: {{email: bo@example.com}}\n  \
         cy: {{email: cy@example.com, label_names: [South]}}\n  di: {{email: di@example.com}}\n  \
         fay: {{email: fay@example.com}}\n  gil: {{apollo_id: {known}}}\n  hal: {{email: hal@example.com}}\n",
    ));
    planned(&world, "");
    assert_snapshot!(world.run("apply team.plan").stdout.lines().skip_while(|line| !line.starts_with("Apply")).collect::<Vec<_>>().join("\n"), @"
    Apply complete! Resources: 2 imported, 1 added, 2 changed, 0 destroyed, 1 forgotten.
    Also: 1 moved, 1 released.
    ");
    world.applied().is_clean();
    refused(&world, &remote, "Saved plan was already applied");
}

#[test]
fn a_plan_made_before_an_edit_is_refused() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    planned(&world, "");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    assert_snapshot!(refused(&world, &remote, "Contact files have changed since the plan was saved").errors(), @"

    Error: Contact files have changed since the plan was saved

    The files in contacts.d are not the ones that team.plan was made from. These contacts of the plan
    are declared differently now: contact.ada.
    Nothing was changed. Make a new plan: contactsd plan --out team.plan --api-url
    http://127.0.0.1:[PORT]/api/v1
    ");
    world.edit("contacts.d/team.yaml", "Director", "Engineer");
    world.write("contacts.d/more.yaml", "contacts:\n  cy: {email: cy@example.com}\n");
    assert_snapshot!(refused(&world, &remote, "Contact files have changed since the plan was saved").errors(), @"

    Error: Contact files have changed since the plan was saved

    The files in contacts.d are not the ones that team.plan was made from. They were 1 then and are 2
    now. The contacts of the plan are declared as before; another file or entry differs.
    Nothing was changed. Make a new plan: contactsd plan --out team.plan --api-url
    http://127.0.0.1:[PORT]/api/v1
    ");
    assert!(!world.path(".contactsd").exists(), "nothing was opened");
    fs::remove_file(world.path("contacts.d/more.yaml")).unwrap();
    applied(&world);
}

#[test]
fn a_plan_is_stale_once_something_else_changed_the_state() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    planned(&world, "");
    world.applied();
    assert_snapshot!(refused(&world, &remote, "Saved plan is stale").errors(), @"

    Error: Saved plan is stale

    It was made before there was a state, and the state is now at serial 2.
    Make a new plan: contactsd plan --out team.plan --api-url http://127.0.0.1:[PORT]/api/v1
    ");
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    planned(&world, "");
    assert_eq!(world.run("state rm bo --auto-approve").code, Some(0));
    assert_snapshot!(refused(&world, &remote, "Saved plan is stale").errors(), @"

    Error: Saved plan is stale

    Something other than this plan has changed the state since then, from serial 2 to 3. Nothing was
    sent.
    Make a new plan: contactsd plan --out team.plan --api-url http://127.0.0.1:[PORT]/api/v1
    ");
}

#[test]
fn a_plan_is_stale_once_another_apply_left_something_in_doubt() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote).one_by_one();
    world.applied();
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    planned(&world, "");
    world.edit("contacts.d/team.yaml", "Director", "Clerk");
    world.edit("contacts.d/team.yaml", "email: bo@example.com", "email: bo@example.com, title: Clerk");
    remote.set_faults("update:lost-reply=1");
    assert_eq!(world.run("apply --auto-approve --retry-base 1ms").code, Some(1));
    remote.set_faults("");
    world.edit("contacts.d/team.yaml", "email: bo@example.com, title: Clerk", "email: bo@example.com");
    world.edit("contacts.d/team.yaml", "Clerk", "Director");
    assert_snapshot!(refused(&world, &remote, "Saved plan is stale").errors(), @"

    Error: Saved plan is stale

    contact.ada would be treated differently now: another apply has sent a request since then that was
    never answered. Nothing was sent.
    Make a new plan: contactsd plan --out team.plan --api-url http://127.0.0.1:[PORT]/api/v1
    ");
    assert_eq!(remote.column("title"), ["Clerk", "Clerk"]);
}

#[test]
fn a_plan_of_another_state_is_refused() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    planned(&world, "");
    fs::rename(world.path(".contactsd"), world.path("kept")).unwrap();
    let outcome = refused(&world, &remote, "Saved plan does not match the given state");
    assert!(outcome.stderr.contains("there is no state"), "{outcome}");
    assert!(!world.path(".contactsd").exists(), "none is made");
    world.applied();
    let outcome = refused(&world, &remote, "Saved plan does not match the given state");
    assert!(outcome.stderr.contains("with --state"), "{outcome}");
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    fs::rename(world.path("kept"), world.path(".contactsd")).unwrap();
    assert_eq!(applied(&world).summary(), "Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
}

#[test]
fn a_plan_for_another_api_is_refused() {
    let remote = Remote::start();
    let other = Remote::start();
    let world = World::with(TEAM).against(&remote);
    planned(&world, "");
    let world = world.against(&other);
    let outcome = refused(&world, &other, "Saved plan is for another API");
    assert!(outcome.stderr.contains("--api-url"), "{outcome}");
}

/// Without an e-mail or a company, Apollo matches nobody.
const UNMATCHED: &str = "contacts:\n  ada: {first_name: Ada, last_name: Quill, title: Engineer}\n";

#[test]
fn a_first_plan_is_not_applied_again_when_the_state_is_lost() {
    let remote = Remote::start();
    let world = World::with(UNMATCHED).against(&remote);
    planned(&world, "");
    let copy = fs::read(world.path("team.plan")).unwrap();
    applied(&world);
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    refused(&world, &remote, "Saved plan was already applied");
    // A copy that was never used says nothing of that; it looks first, as any apply of a new state does.
    fs::write(world.path("team.plan"), copy).unwrap();
    let outcome = world.run("apply team.plan");
    assert!(outcome.stderr.contains("Apollo has a contact like contact.ada"), "{outcome}");
    assert_eq!(remote.contacts().len(), 1);
}

#[test]
fn a_plan_that_was_begun_belongs_to_the_state_it_was_begun_on() {
    let remote = Remote::start();
    remote.set_faults("create:lost-reply=1");
    let world = World::with(UNMATCHED).against(&remote);
    planned(&world, "");
    assert_eq!(world.run("apply team.plan").code, Some(1));
    remote.set_faults("");
    fs::rename(world.path(".contactsd"), world.path("kept")).unwrap();
    refused(&world, &remote, "Saved plan does not match the given state");
    assert!(!world.path(".contactsd").exists());
    fs::rename(world.path("kept"), world.path(".contactsd")).unwrap();
    applied(&world);
    assert_eq!(remote.contacts().len(), 1);
}

#[test]
fn a_plan_that_was_applied_is_not_applied_to_a_backup_from_before() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    world.edit("contacts.d/team.yaml", "  bo:", "  cy: {first_name: Cy, last_name: Reed, title: Clerk}\n  bo:");
    planned(&world, "");
    fs_copy(&world, ".contactsd", "backup");
    let outcome = world.run("apply team.plan --max-wait 0s");
    assert_eq!(outcome.code, Some(0), "{outcome}");
    // As if it had been left half-way: begun, and not spent.
    keep_lines(&world, |line| !line.starts_with("{\"spent\""));
    fs::remove_dir_all(world.path(".contactsd")).unwrap();
    fs_copy(&world, "backup", ".contactsd");
    let outcome = refused(&world, &remote, "Saved plan is stale");
    assert!(outcome.stderr.contains("restored from a backup"), "{outcome}");
    assert_eq!(remote.contacts().len(), 3);
}

fn fs_copy(world: &World, from: &str, to: &str) {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &target);
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    copy(&world.path(from), &world.path(to));
}

#[test]
fn a_plan_that_failed_in_part_goes_on_with_the_rest() {
    let remote = Remote::with(|options| options.quota = "2/m".parse().unwrap());
    let world = World::with(&numbered(0..3)).against(&remote).one_by_one();
    planned(&world, "");
    let outcome = world.run("apply team.plan --max-wait 0s");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.summary().ends_with("2 added, 0 changed, 0 destroyed. 0 failed, 1 remaining."), "{outcome}");
    remote.take_sent();
    let outcome = world.run("apply team.plan --max-wait 0s");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert_eq!(outcome.line("2 of"), "2 of the 3 actions in team.plan were done before.");
    assert_eq!(remote.take_calls(), [""; 0]);
    has_each_once(&remote, 2);
}

#[test]
fn a_create_in_doubt_is_settled_by_the_same_plan() {
    let remote = Remote::start();
    remote.set_faults("create:lost-reply=1");
    let world = World::with(TEAM).against(&remote).one_by_one();
    planned(&world, "");
    assert_eq!(world.run("apply team.plan").code, Some(1));
    remote.set_faults("");
    assert_snapshot!(world.run("apply team.plan").stdout.lines().filter(|line| !line.starts_with("contact.")).collect::<Vec<_>>().join("\n"), @"
    Apply complete! Resources: 0 added, 0 changed, 0 destroyed.
    Also: 2 settled.
    ");
    has_each_once(&remote, 2);
    assert_eq!(remote.requests(Action::Create), 2);
    refused(&world, &remote, "Saved plan was already applied");
}

#[test]
fn an_interrupted_plan_goes_on_and_so_does_a_killed_one() {
    let remote = Remote::start();
    let world = World::with(&numbered(0..40)).against(&remote).one_by_one();
    planned(&world, "");
    for (answers, signal, code) in
        [(5, Signal::KILL, None), (3, Signal::INT, Some(130)), (0, Signal::KILL, None), (7, Signal::TERM, Some(143))]
    {
        remote.tap.hold_after(answers);
        let mut running = world.start("apply team.plan --parallelism 3");
        remote.tap.wait_until_held(1);
        running.signal(signal);
        if code.is_some() {
            running.wait_for("Stopping");
            remote.tap.release();
        }
        assert_eq!(running.finish().code, code);
        remote.tap.release();
    }
    let outcome = applied(&world);
    assert!(outcome.line("").contains("of the 40 actions in team.plan were done before."), "{outcome}");
    has_each_once(&remote, 40);
    refused(&world, &remote, "Saved plan was already applied");
    world.applied().is_clean();
}

#[cfg(feature = "failpoints")]
#[test]
fn a_plan_that_was_killed_at_any_step_goes_on_from_there() {
    use contactsd::failpoints::Step;
    for step in Step::ALL {
        for time in 1..4 {
            let remote = Remote::start();
            let mut world = World::with(UNMATCHED).against(&remote);
            world.applied();
            world.team(
                "contacts:\n  countess: {first_name: Ada, last_name: Quill, title: Director, moved_from: ada}\n  \
                 bo: {email: bo@example.com, label_names: [North]}\n  cy: {first_name: Cy, last_name: Reed}\n",
            );
            planned(&world, "");
            world.set("CONTACTSD_FAILPOINT", &format!("{}:{time}", step.name()));
            let killed = world.run("apply team.plan");
            world.unset("CONTACTSD_FAILPOINT");
            let at = format!("killed at {} {time}: {killed}", step.name());
            if killed.code == Some(0) {
                // The step is not passed so often.
                break;
            }
            assert_eq!(killed.code, None, "{at}");
            let outcome = world.run("apply team.plan");
            let is_spent = outcome.stderr.contains("already applied");
            assert_eq!(outcome.code, Some(i32::from(is_spent)), "{at}\n{outcome}");
            assert_eq!(remote.contacts().len(), 3, "{at}");
            assert_eq!(remote.contact("first_name", "Ada")["title"], "Director", "{at}");
            assert_eq!(remote.contact("email", "bo@example.com")["label_names"], json!(["North"]), "{at}");
            refused(&world, &remote, "Saved plan was already applied");
            world.applied().is_clean();
        }
    }
}

#[test]
fn what_a_plan_has_done_is_not_done_again_by_it() {
    let remote = Remote::start();
    let world = World::with("contacts:\n  ada: {email: ada@example.com, title: Engineer}\n");
    let world = world.against(&remote).one_by_one();
    world.applied();
    // Apollo takes both for one person: ada may be overwritten by a create that comes after her own update.
    world.team("contacts:\n  ada: {email: ada@example.com, title: Director}\n  bo: {email: bo@example.com}\n");
    planned(&world, "");
    let id = remote.contact("email", "ada@example.com")["id"].as_str().unwrap().to_owned();
    let answer = json!({"contact": {"id": id, "email": "bo@example.com"}});
    remote.tap.answer("bo@example.com", 200, &answer);
    let outcome = world.run("apply team.plan");
    assert_eq!(outcome.code, Some(1), "{outcome}");
    remote.take_sent();
    let again = world.run("apply team.plan");
    assert_snapshot!(again, @"
    1 of the 2 actions in team.plan were done before.
    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.
    What is done is recorded: correct what the errors name, then run the command again.
    [stderr]
    Warning: There is more to do than the saved plan says

    A plan made now would also change contact.ada, and the saved plan does not say so. Nothing was
    done for this part: make a new plan for it.

    Error: Apollo takes contact.bo and contact.ada for the same person

      with contact.bo,
      contacts.d/team.yaml:3:3
       3:   bo: {email: bo@example.com}
            ^^

    Both match contact [ID1], which belongs to contact.ada. Nothing is sent for
    contact.bo until one of the entries changes. If they are one person, remove one of the two
    entries. If they are two, give them different e-mails, or set run_dedupe: false in both. If the
    contact belongs to bo: contactsd state rm ada --api-url http://127.0.0.1:[PORT]/api/v1, then
    contactsd import bo [ID1] --api-url http://127.0.0.1:[PORT]/api/v1.
    [exit 1]
    ");
    assert_eq!(remote.take_calls(), [""; 0]);
}

#[test]
fn a_file_that_is_cut_or_changed_is_refused() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    planned(&world, "");
    let whole = fs::read_to_string(world.path("team.plan")).unwrap();
    world.write("team.plan", &whole[..whole.len() - 20]);
    assert_snapshot!(refused(&world, &remote, "The plan file is incomplete or damaged").errors(), @"

    Error: The plan file is incomplete or damaged

    team.plan is cut: its last line is missing
    Nothing in it was used. Copy the file again from where it was made, or make a new plan: contactsd
    plan --out FILE.
    ");
    world.write("team.plan", &whole.replace("Engineer", "Director"));
    assert_snapshot!(refused(&world, &remote, "The plan file is incomplete or damaged").errors(), @"

    Error: The plan file is incomplete or damaged

    team.plan is damaged: its checksum differs
    Nothing in it was used. Copy the file again from where it was made, or make a new plan: contactsd
    plan --out FILE.
    ");
    world.write("team.plan", &whole.replace("\"format\":1", "\"format\":2"));
    assert_snapshot!(refused(&world, &remote, "The plan was saved by a later version").errors(), @"

    Error: The plan was saved by a later version

    team.plan has format 2 (written by contactsd 0.1.0); this contactsd reads plan files up to format
    1
    Use the version that made it, or make a new plan.
    ");
    world.write("team.plan", &whole);
    applied(&world);
}

#[test]
fn a_mark_that_was_cut_means_nothing() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    planned(&world, "");
    let whole = fs::read_to_string(world.path("team.plan")).unwrap();
    world.write("team.plan", &format!("{whole}{{\"begun\":{{\"lineage\":\"0123"));
    applied(&world);
    let marks: Vec<String> = plan_lines(&world).into_iter().filter(|line| is_mark(line)).collect();
    assert_eq!(marks.len(), 2, "{marks:?}");
    assert!(fs::read_to_string(world.path("team.plan")).unwrap().starts_with(&whole));
}

#[test]
fn a_file_that_cannot_be_marked_is_applied_with_a_warning() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    planned(&world, "");
    // A file that nobody can write to, not even root.
    let sealed = memfd_create("plan", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).unwrap();
    let mut sealed = fs::File::from(sealed);
    sealed.write_all(&fs::read(world.path("team.plan")).unwrap()).unwrap();
    fcntl_add_seals(&sealed, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK).unwrap();
    fs::remove_file(world.path("team.plan")).unwrap();
    std::os::unix::fs::symlink(
        format!("/proc/{}/fd/{}", std::process::id(), sealed.as_raw_fd()),
        world.path("team.plan"),
    )
    .unwrap();
    let outcome = applied(&world);
    assert_snapshot!(outcome.errors(), @"

    Warning: team.plan is not marked as applied

    cannot write to it: Operation not permitted (os error 1).
    The state remembers what is done, so the plan is not applied to it twice. But if the state is lost
    or restored from a backup, the file looks as if it was never used. Remove the file after it is
    applied.
    ");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
    refused(&world, &remote, "Saved plan was already applied");
}

#[test]
fn a_saved_plan_takes_no_planning_options() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    planned(&world, "--max-creates 2");
    for option in [
        "--force",
        "--max-creates 1",
        "--max-updates=1",
        "-max-forgets 1",
        "--recreate ada",
        "--target ada",
        "--exclude bo",
    ] {
        let outcome = world.run(&format!("apply team.plan {option}"));
        let name = option.trim_start_matches('-').split([' ', '=']).next().unwrap();
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stderr.contains(&format!("--{name} is an option for making a plan")), "{outcome}");
    }
    assert_eq!(remote.take_calls(), [""; 0]);
    // What is said to both verbs at once was heard by plan.
    world.set("CONTACTSD_MAX_CREATES", "0");
    assert_eq!(applied(&world).summary(), "Apply complete! Resources: 2 added, 0 changed, 0 destroyed.");
}

#[test]
fn a_plan_that_passes_its_limits_or_needs_a_decision_is_never_applied() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let outcome = planned(&world, "--max-creates 1");
    assert!(outcome.stdout.ends_with("so it can be shown but never applied.\n"), "{outcome}");
    assert_snapshot!(refused(&world, &remote, "Saved plan exceeds its limits").errors(), @"

    Error: Saved plan exceeds its limits

    2 contacts would be created, and at most 1 may be.
    It exceeds limits that were set when it was made. If this is intended, make a new plan with a
    higher --max-creates. If not, check that the contact directory is the right one.
    Make a new plan: contactsd plan --out team.plan --api-url http://127.0.0.1:[PORT]/api/v1
    ");
    world.applied();
    remote.delete(remote.contact("email", "ada@example.com")["id"].as_str().unwrap());
    world.edit("contacts.d/team.yaml", "Engineer", "Director");
    assert_eq!(world.apply().code, Some(1));
    let outcome = world.run("plan --out team.plan");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stdout.ends_with("so it can be shown but never applied.\n"), "{outcome}");
    assert_snapshot!(refused(&world, &remote, "Saved plan needs decisions").errors(), @"

    Error: Saved plan needs decisions

    1 entry needs a decision in team.plan, so this plan cannot be applied. `contactsd show team.plan
    --api-url http://127.0.0.1:[PORT]/api/v1` shows what you can do.
    Make a new plan: contactsd plan --out team.plan --api-url http://127.0.0.1:[PORT]/api/v1
    ");
    planned(&world, "--recreate ada");
    applied(&world);
    assert_eq!(remote.column("title"), ["", "Director"]);
}

#[test]
fn a_plan_with_nothing_to_do_does_nothing_as_often_as_asked() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    world.applied();
    planned(&world, "");
    remote.take_sent();
    applied(&world).is_clean();
    applied(&world).is_clean();
    assert_eq!(remote.take_calls(), [""; 0]);
}

/// A plan there would be read as a contact file, or make others of them.
#[test]
fn a_plan_is_not_saved_among_the_contact_files() {
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n");
    let absolute = world.path("contacts.d/p.yaml");
    for out in ["contacts.d/p.yaml", "./contacts.d/../contacts.d/p.plan", absolute.to_str().unwrap()] {
        let outcome = world.run(&format!("plan --out {out}"));
        assert_eq!(outcome.code, Some(1), "{outcome}");
        assert!(outcome.stderr.contains("is in the directory of the contact files"), "{outcome}");
        assert!(!world.path(out).exists());
    }
}

#[test]
fn a_plan_that_comes_through_a_pipe_is_read_once_and_applied() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_eq!(world.run("plan --out team.plan").code, Some(0));
    let plan = fs::read_to_string(world.path("team.plan")).unwrap();
    let outcome = world.run_with_input("apply /dev/stdin", &plan);
    assert_eq!(outcome.code, Some(0), "{outcome}");
    assert!(outcome.stderr.contains("/dev/stdin is not marked as applied"), "{outcome}");
    assert!(outcome.stderr.contains("not a regular file"), "{outcome}");
    assert_eq!(remote.contacts().len(), 2);
}
