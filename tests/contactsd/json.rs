//! `--json`: what programs read of every verb.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Remote, World};

const TEAM: &str = "contacts:\n  ada:\n    first_name: Ada\n    email: ada@example.com\n";

/// Parses every line of an output.
#[track_caller]
pub(crate) fn records(text: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    text.lines().map(parse).collect()
}

/// Names the types of the records of a stream.
#[track_caller]
fn types(text: &str) -> Vec<String> {
    records(text).iter().map(|record| record["type"].as_str().expect("a record has a type").to_owned()).collect()
}

#[test]
fn a_plan_is_a_stream_of_records_and_the_same_bytes_every_time() {
    let world = World::with(TEAM);
    let plan = world.run("plan --json");
    assert_snapshot!(plan, @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"info","@message":"contact.ada: plan to create","@module":"contactsd.ui","type":"planned_change","change":{"resource":{"addr":"contact.ada","resource_type":"contact","resource_name":"ada"},"action":"create","reason":"not_in_state","actions":["create"],"before":null,"after":{"first_name":"Ada","email":"ada@example.com"},"after_unknown":{"id":true},"changed":["first_name","email"],"source":{"filename":"contacts.d/team.yaml","line":2}}}
    {"@level":"info","@message":"Requests: at most 4","@module":"contactsd.ui","type":"forecast","forecast":{"requests":{"create_contacts":2,"search_contacts":2},"up_to":["search_contacts"],"seconds":0,"assumed":true,"assumed_for":["create_contacts","search_contacts"],"creates":"together","one_each":{}}}
    {"@level":"info","@message":"Plan: 1 to add, 0 to change, 0 to destroy.","@module":"contactsd.ui","type":"change_summary","changes":{"add":1,"change":0,"import":0,"remove":0,"forget":0,"move":0,"release":0,"settle":0,"operation":"plan"},"plan":{"digest":"[DIGEST]","lineage":null,"serial":0,"unchanged":0,"undecided":0,"left_out":0}}
    [exit 0]
    "#);
    assert_eq!(world.run("plan --json").stdout, plan.stdout);
    assert_eq!(world.run("plan --json --detailed-exitcode").code, Some(2));
}

#[test]
fn an_apply_tells_each_step_and_its_counts() {
    let world = World::with(TEAM);
    let apply = world.run("apply --sandbox --json --auto-approve");
    assert_eq!((apply.code, apply.stderr.as_str()), (Some(0), ""), "{apply}");
    assert_eq!(
        types(&apply.stdout),
        [
            "version",
            "log",
            "planned_change",
            "forecast",
            "change_summary",
            "apply_start",
            "apply_complete",
            "change_summary"
        ]
    );
    let records = records(&apply.stdout);
    assert!(records.iter().all(|record| record["@timestamp"].as_str().is_some_and(|time| time.ends_with('Z'))));
    assert_eq!(records[6]["hook"]["id_value"].as_str().map(str::len), Some(24));
    assert_eq!(records[7]["changes"]["add"], 1);
    assert_eq!(records[7]["outcome"]["complete"], true);
    let again = world.run("plan --sandbox --json");
    assert_eq!(types(&again.stdout), ["version", "log", "forecast", "change_summary"]);
}

#[test]
fn nobody_is_asked_where_a_program_reads() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    let refused = world.run_at_terminal("apply --json", "yes\n");
    assert_snapshot!(refused, @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","@timestamp":"[TIME]","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"error","@message":"Error: Cannot ask for approval","@module":"contactsd.ui","@timestamp":"[TIME]","type":"diagnostic","diagnostic":{"severity":"error","summary":"Cannot ask for approval","detail":"With --json, contactsd does not ask. Add --auto-approve to continue without asking, or run plan to see what would happen."}}
    [exit 1]
    "#);
    assert_eq!(remote.contacts().len(), 0);
}

#[test]
fn a_validation_is_one_document() {
    let world = World::with("contacts:\n  ada: {emial: ada@example.com}\n");
    assert_snapshot!(world.run("validate --json"), @r#"
    {"format_version":"1.0","valid":false,"error_count":1,"warning_count":0,"diagnostics":[{"severity":"error","summary":"Unknown field \"emial\"","detail":"Apollo ignores names it does not know, so the value would be lost. Did you mean `email`?","code":"E011","address":"contact.ada","range":{"filename":"contacts.d/team.yaml","start":{"line":2,"column":9},"end":{"line":2,"column":14}},"snippet":{"code":"  ada: {emial: ada@example.com}","start_line":2,"highlight_start_offset":8,"highlight_end_offset":13}}],"files":1}
    [exit 1]
    "#);
    world.team("contacts:\n  ada: {email: ada@example.com, mobile_phone: none}\n");
    assert_snapshot!(world.run("validate --json"), @r#"
    {"format_version":"1.0","valid":true,"error_count":0,"warning_count":1,"diagnostics":[{"severity":"warning","summary":"\"none\" has no digits","detail":"`mobile_phone` is meant for a phone number. Write the number, or remove the line if there is none.","code":"W102","address":"contact.ada","range":{"filename":"contacts.d/team.yaml","start":{"line":2,"column":47},"end":{"line":2,"column":51}},"snippet":{"code":"  ada: {email: ada@example.com, mobile_phone: none}","start_line":2,"highlight_start_offset":46,"highlight_end_offset":50}}],"contacts":1,"files":1}
    [exit 0]
    "#);
    assert_snapshot!(world.run("validate --json --dir elsewhere"), @r#"
    {"format_version":"1.0","valid":false,"error_count":1,"warning_count":0,"diagnostics":[{"severity":"error","summary":"Cannot read the contact files","detail":"the directory elsewhere cannot be read: No such file or directory (os error 2)\nName the directory with --dir, or make it with a first entry: contactsd init"}]}
    [exit 1]
    "#);
}

#[test]
fn mistakes_of_usage_are_records_too() {
    let mut world = World::with(TEAM);
    assert_snapshot!(world.run("aply --json"), @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"error","@message":"Error: Unrecognized subcommand 'aply'","@module":"contactsd.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"Unrecognized subcommand 'aply'","detail":"  tip: a similar subcommand exists: 'apply'\n\nFor more help on using this command, run:\n  contactsd --help"}}
    [exit 1]
    "#);
    assert_snapshot!(world.run("--json"), @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"error","@message":"Error: 'contactsd' requires a subcommand but one was not provided","@module":"contactsd.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"'contactsd' requires a subcommand but one was not provided","detail":"  [subcommands: init, validate, fmt, explain, plan, apply, drift, export, convert, show, watch, status, pause, resume, approve, probe, sandbox, import, why, forget, lookup, state, schema, completions, man, version, help]\n\nFor more help on using this command, run:\n  contactsd --help"}}
    [exit 1]
    "#);
    world.set("CONTACTSD_JSON", "1");
    assert_snapshot!(world.run("plan --nonsense"), @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"error","@message":"Error: Unexpected argument '--nonsense' found","@module":"contactsd.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"Unexpected argument '--nonsense' found","detail":"For more help on using this command, run:\n  contactsd plan --help"}}
    [exit 1]
    "#);
    world.write("contactsd.toml", "dirr = \"people\"\n");
    assert_snapshot!(world.run("plan"), @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"error","@message":"Error: contactsd.toml:1:1: there is no setting `dirr`; did you mean dir?","@module":"contactsd.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"contactsd.toml:1:1: there is no setting `dirr`; did you mean dir?","detail":"Settings in contactsd.toml have the names of the long options, without the leading --."}}
    [exit 1]
    "#);
}

#[test]
fn help_and_version_are_records_too() {
    let world = World::new();
    for (line, said) in [
        ("--json --help", "Usage: contactsd"),
        ("--json -V", "contactsd 0.1.0"),
        ("plan --json --help", "Usage: contactsd plan"),
    ] {
        let outcome = world.run(line);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{line}\n{outcome}");
        let records = records(&outcome.stdout);
        assert!(records[1]["@message"].as_str().unwrap().contains(said), "{outcome}");
        assert_eq!(records[1]["type"], "output");
    }
}

#[test]
fn a_person_and_a_program_read_one_run() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with(TEAM);
    let text = world.run("plan").stdout;
    let both = world.run("plan --json-into run.jsonl");
    assert_eq!(both.stdout, text);
    let file = std::fs::read_to_string(world.path("run.jsonl")).unwrap();
    assert_eq!(file, world.run("plan --json").stdout);
    assert_eq!(world.path("run.jsonl").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // A file of an earlier run is not taken for this one's.
    world.set_mode("run.jsonl", 0o644);
    let mistake = world.run("plan --nonsense --json-into run.jsonl");
    assert!(mistake.stderr.contains("Error: Unexpected argument '--nonsense'"), "{mistake}");
    let file = std::fs::read_to_string(world.path("run.jsonl")).unwrap();
    assert_eq!(types(&file), ["version", "diagnostic"]);
    assert_eq!(world.path("run.jsonl").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_snapshot!(world.run("plan --json-into nowhere/run.jsonl"), @"
    [stderr]
    Error: Cannot write to nowhere/run.jsonl

    No such file or directory (os error 2). --json-into names the file to write records to.
    [exit 1]
    ");
}

#[test]
fn a_repository_does_not_say_which_file_is_written() {
    let world = World::with(TEAM);
    world.write("contactsd.toml", "json-into = \"precious\"\n");
    let refused = world.run("plan");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("a repository must not set `json-into`"), "{refused}");
}

#[test]
fn a_list_is_an_object_a_line_and_nothing_else() {
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n  bob: {email: bob@example.com}\n");
    world.run("apply --sandbox --auto-approve");
    assert_snapshot!(world.run("state list --sandbox --json"), @r#"
    {"key":"ada","address":"contact.ada","apollo_id":"[ID1]","origin":"created"}
    {"key":"bob","address":"contact.bob","apollo_id":"[ID2]","origin":"created"}
    [exit 0]
    "#);
    assert_snapshot!(world.run("state show --sandbox --json contact.ada"), @r#"
    {"key":"ada","address":"contact.ada","apollo_id":"[ID1]","origin":"created","applied":{"email":"ada@example.com"},"observed":{"email":"ada@example.com"},"bound_at":"[TIME]","applied_at":"[TIME]","source":"contacts.d/team.yaml","complete":true}
    [exit 0]
    "#);
    assert_snapshot!(world.run("state show --sandbox --json eve"), @r#"
    {"@level":"error","@message":"Error: contact.eve is not in the state","@module":"contactsd.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"contact.eve is not in the state","detail":"The state .contactsd/contacts.d/sandbox/state does not manage this contact. `contactsd state list --sandbox` lists those that it manages."}}
    [exit 1]
    "#);
    let version: serde_json::Value = serde_json::from_str(&world.run("version --json").stdout).unwrap();
    assert_eq!(version["contactsd_version"], env!("CARGO_PKG_VERSION"));
    assert!(version["target"].as_str().unwrap().contains(std::env::consts::ARCH), "{version}");
    // A contact is forgotten and moved as records of an apply.
    let moved = world.run("state mv --sandbox --auto-approve --json ada countess");
    assert_eq!(
        types(&moved.stdout)[1..],
        ["log", "planned_change", "forecast", "change_summary", "apply_start", "apply_complete", "change_summary"]
    );
    assert_eq!(records(&moved.stdout)[2]["change"]["previous_resource"]["addr"], "contact.ada");
}

#[test]
fn what_is_no_error_stands_beside_documents() {
    let mut world = World::with(TEAM);
    world.set("CONTACTSD_DIRR", "people");
    let list = world.run("state list --json");
    assert_eq!(list.stdout, "");
    let [warning] = &records(&list.stderr)[..] else { panic!("one warning: {list}") };
    assert_eq!(warning["diagnostic"]["severity"], "warning");
    let plan = world.run("plan --json");
    assert_eq!(plan.stderr, "");
    assert_eq!(types(&plan.stdout)[1], "diagnostic");
}

#[test]
fn a_quiet_run_leaves_results_and_errors() {
    let world = World::with(TEAM);
    let apply = world.run("apply --sandbox --json --auto-approve --quiet");
    assert_eq!(
        types(&apply.stdout),
        ["version", "planned_change", "forecast", "change_summary", "apply_complete", "change_summary"]
    );
}

#[test]
fn what_fails_is_told_by_a_diagnostic_and_a_step_that_ended() {
    let remote = Remote::start();
    let world = World::with(&format!("{TEAM}  bob: {{email: bob@example.com}}\n"));
    let world = world.against(&remote).one_by_one();
    remote.tap.answer("ada@example.com", 422, &serde_json::json!({ "error": "no::error \u{202e}" }));
    let apply = world.run("apply --json --auto-approve --parallelism 1");
    assert_snapshot!(apply, @r#"
    {"@level":"info","@message":"contactsd 0.1.0","@module":"contactsd.ui","@timestamp":"[TIME]","type":"version","contactsd":"0.1.0","ui":"1.0"}
    {"@level":"info","@message":"contact.ada: plan to create","@module":"contactsd.ui","@timestamp":"[TIME]","type":"planned_change","change":{"resource":{"addr":"contact.ada","resource_type":"contact","resource_name":"ada"},"action":"create","reason":"not_in_state","actions":["create"],"before":null,"after":{"first_name":"Ada","email":"ada@example.com"},"after_unknown":{"id":true},"changed":["first_name","email"],"source":{"filename":"contacts.d/team.yaml","line":2}}}
    {"@level":"info","@message":"contact.bob: plan to create","@module":"contactsd.ui","@timestamp":"[TIME]","type":"planned_change","change":{"resource":{"addr":"contact.bob","resource_type":"contact","resource_name":"bob"},"action":"create","reason":"not_in_state","actions":["create"],"before":null,"after":{"email":"bob@example.com"},"after_unknown":{"id":true},"changed":["email"],"source":{"filename":"contacts.d/team.yaml","line":5}}}
    {"@level":"info","@message":"Requests: at most 5","@module":"contactsd.ui","@timestamp":"[TIME]","type":"forecast","forecast":{"requests":{"create_contact":2,"search_contacts":3},"up_to":[],"seconds":0,"assumed":true,"assumed_for":["create_contact","search_contacts"],"creates":"one_by_one","one_each":{}}}
    {"@level":"info","@message":"Plan: 2 to add, 0 to change, 0 to destroy.","@module":"contactsd.ui","@timestamp":"[TIME]","type":"change_summary","changes":{"add":2,"change":0,"import":0,"remove":0,"forget":0,"move":0,"release":0,"settle":0,"operation":"plan"},"plan":{"digest":"[DIGEST]","lineage":null,"serial":0,"unchanged":0,"undecided":0,"left_out":0}}
    {"@level":"info","@message":"contact.ada: create begins","@module":"contactsd.ui","@timestamp":"[TIME]","type":"apply_start","hook":{"resource":{"addr":"contact.ada","resource_type":"contact","resource_name":"ada"},"action":"create"}}
    {"@level":"error","@message":"Error: Apollo rejected contact.ada","@module":"contactsd.ui","@timestamp":"[TIME]","type":"diagnostic","diagnostic":{"severity":"error","summary":"Apollo rejected contact.ada","detail":"Apollo says: no::error \\u{202e}\nThe request had no effect. Correct the entry and apply again.","address":"contact.ada","range":{"filename":"contacts.d/team.yaml","start":{"line":2,"column":3},"end":{"line":2,"column":6}},"snippet":{"code":"  ada:","start_line":2,"highlight_start_offset":2,"highlight_end_offset":5}}}
    {"@level":"error","@message":"contact.ada: create failed","@module":"contactsd.ui","@timestamp":"[TIME]","type":"apply_errored","hook":{"resource":{"addr":"contact.ada","resource_type":"contact","resource_name":"ada"},"action":"create","elapsed_seconds":0}}
    {"@level":"info","@message":"contact.bob: create begins","@module":"contactsd.ui","@timestamp":"[TIME]","type":"apply_start","hook":{"resource":{"addr":"contact.bob","resource_type":"contact","resource_name":"bob"},"action":"create"}}
    {"@level":"info","@message":"contact.bob: create is complete","@module":"contactsd.ui","@timestamp":"[TIME]","type":"apply_complete","hook":{"resource":{"addr":"contact.bob","resource_type":"contact","resource_name":"bob"},"action":"create","id_key":"id","id_value":"[ID1]","elapsed_seconds":0}}
    {"@level":"info","@message":"Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed. 1 failed, 0 remaining.\nWhat is done is recorded: correct what the errors name, then run the command again.","@module":"contactsd.ui","@timestamp":"[TIME]","type":"change_summary","changes":{"add":1,"change":0,"import":0,"remove":0,"forget":0,"move":0,"release":0,"settle":0,"operation":"apply"},"outcome":{"complete":false,"failed":1,"remaining":0,"ended":{"reason":"finished"}}}
    [exit 1]
    "#);
}

#[test]
fn a_watch_tells_its_passes() {
    let world = World::with(TEAM);
    let once = world.run("watch --once --sandbox --json");
    assert_eq!(
        types(&once.stdout)[1..],
        [
            "log",
            "log",
            "pass",
            "planned_change",
            "forecast",
            "change_summary",
            "apply_start",
            "apply_complete",
            "pass",
            "change_summary"
        ]
    );
    world.team("contacts:\n  ada: {emial: x}\n");
    let refused = world.run("watch --once --sandbox --json");
    assert_eq!(refused.code, Some(1));
    assert_eq!(types(&refused.stdout)[1..], ["log", "log", "diagnostic", "pass"]);
}

#[test]
fn the_log_is_json_where_the_output_is() {
    let remote = Remote::start();
    let mut world = World::with(TEAM).against(&remote);
    world.set("CONTACTSD_LOG", "debug");
    let apply = world.run("apply --json --auto-approve");
    assert!(!records(&apply.stderr).is_empty());
    records(&apply.stdout);
}

#[test]
fn a_sandbox_tells_its_address() {
    let world = World::new();
    let mut sandbox = world.start("sandbox --listen 127.0.0.1:0 --json");
    let line = sandbox.wait_for("\"type\":\"sandbox\"");
    let record: Value = serde_json::from_str(&line).unwrap();
    assert!(record["base_url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
    sandbox.signal(rustix::process::Signal::TERM);
    sandbox.finish();
}

#[test]
fn a_saved_plan_is_one_document() {
    let world = World::with(TEAM);
    world.run("plan --out team.plan");
    assert_snapshot!(world.run("show team.plan --json"), @r#"
    {"format_version":"1.0","contactsd_version":"0.1.0","digest":"[DIGEST]","lineage":null,"serial":0,"unchanged":0,"undecided":0,"left_out":0,"changes":{"add":1,"change":0,"import":0,"remove":0,"forget":0,"move":0,"release":0,"settle":0,"operation":"plan"},"resource_changes":[{"address":"contact.ada","type":"contact","name":"ada","action":"create","action_reason":"not_in_state","change":{"actions":["create"],"before":null,"after":{"first_name":"Ada","email":"ada@example.com"},"after_unknown":{"id":true},"changed":["first_name","email"]},"source":{"filename":"contacts.d/team.yaml"}}],"brakes":[],"forecast":{"requests":{"create_contacts":2,"search_contacts":2},"up_to":["search_contacts"],"seconds":0,"assumed":true,"assumed_for":["create_contacts","search_contacts"],"creates":"together","one_each":{}},"applyable":true,"errored":false,"diagnostics":[]}
    [exit 0]
    "#);
    assert_snapshot!(world.run("show none.plan --json"), @r#"
    {"@level":"error","@message":"Error: The plan cannot be read","@module":"contactsd.ui","type":"diagnostic","diagnostic":{"severity":"error","summary":"The plan cannot be read","detail":"cannot read none.plan: No such file or directory (os error 2)"}}
    [exit 1]
    "#);
    assert_eq!(world.run("show --json").stdout, "", "an empty state holds no contact");
    let text = world.run("show team.plan").stdout;
    let both = world.run("show team.plan --json-into plan.json");
    assert_eq!(both.stdout, text);
    let file = std::fs::read_to_string(world.path("plan.json")).unwrap();
    assert_eq!(file, world.run("show team.plan --json").stdout);
}

#[test]
fn a_plan_that_was_approved_before_is_applied_without_asking() {
    let world = World::with(TEAM);
    world.run("plan --sandbox --out team.plan");
    let apply = world.run("apply team.plan --sandbox --json");
    assert_eq!((apply.code, apply.stderr.as_str()), (Some(0), ""), "{apply}");
    assert!(types(&apply.stdout).contains(&"apply_complete".to_owned()), "{apply}");
    world.edit("contacts.d/team.yaml", "Ada", "Adah");
    let plan = records(&world.run("plan --sandbox --json").stdout);
    let digest = plan.last().unwrap()["plan"]["digest"].as_str().unwrap().to_owned();
    let apply = world.run(&format!("apply --expect {digest} --sandbox --json"));
    assert_eq!((apply.code, apply.stderr.as_str()), (Some(0), ""), "{apply}");
    assert_eq!(records(&apply.stdout).last().unwrap()["changes"]["change"], 1);
}
