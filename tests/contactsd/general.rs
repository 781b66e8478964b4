//! What holds for every verb: exit codes, streams, colors, settings and help.

use insta::assert_snapshot;

use crate::support::{Remote, World, numbered};

const TEAM: &str = "contacts:\n  ada: {email: ada@example.com}\n";

#[test]
fn help_and_version_are_results() {
    let world = World::new();
    let version = world.run("version");
    // The commit is known to releases alone.
    let (name, target) = version.stdout.trim_end().split_once(" (").unwrap();
    assert_eq!((version.code, name), (Some(0), concat!("contactsd ", env!("CARGO_PKG_VERSION"))));
    assert!(target.contains(std::env::consts::ARCH) && target.ends_with(')'), "{version}");
    assert_eq!(world.run("--version").stdout, version.stdout);
    assert_snapshot!(world.run("--help"), @"
    Contacts as code for Apollo.io: YAML files say which contacts there are, and contactsd changes
    Apollo to match them

    Usage: contactsd [OPTIONS] <COMMAND>

    Commands:
      init         Make a directory of contact files with a first entry, and a pipeline if you want one
      validate     Check the contact files; sends nothing and needs no key
      fmt          Bring the contact files into one form; what they say stays the same
      explain      Explain an error or a warning by its code, E011 for example
      plan         Show what apply would do; changes nothing, and needs a key only to look up names or
                   with --refresh
      apply        Change Apollo to match the contact files
      drift        Show what has changed in Apollo since it was applied; changes nothing
      export       Write contacts that Apollo has as contact files, each with its id; changes nothing in
                   Apollo
      convert      Write the people of CSV files as contact files; sends nothing and needs no key
      show         Show a saved plan, or what the state holds
      watch        Keep changing Apollo to match the contact files, as a service
      status       Show how the running watch is doing, or what the state holds
      pause        Make the running watch release the state, so that other commands can write it
      resume       Let a paused watch continue
      approve      Let the running watch apply one plan that exceeds its limits
      probe        Find out what Apollo's documentation leaves open, with up to five contacts in a test
                   workspace
      sandbox      Serve the stand-in for Apollo until interrupted
      import       Bind an entry to a contact that Apollo has
      why          Show what is known about a contact, what the next apply would do with it, and why
      forget       Remove every trace of a person from the state; asks first
      lookup       List the stages, custom fields or lists that Apollo has, with their ids
      state        Show what the state remembers, and correct it
      schema       Print the JSON Schema of contact files, or of what --json prints
      completions  Print a completion script for a shell
      man          Print the man pages, or write them into a directory
      version      Print the version
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Options of every command:
          --dir <DIR>
              Directory of contact files
              
              [default: contacts.d]

          --follow-within <DIR>
              Directory outside of --dir that symbolic links in --dir are allowed to point to; may be
              repeated

          --state <PATH>
              Directory of the state, or the postgres:// URL of a database [default:
              .contactsd/NAME/state, where NAME is the name of --dir]

          --sandbox
              Use a stand-in for Apollo on this machine; needs no key, nothing leaves the machine

          --api-url <URL>
              Address of the API
              
              [default: https://api.apollo.io/api/v1]

          --color <WHEN>
              When to use colors
              
              [possible values: always, auto, never]

          --no-color
              The same as --color never

      -q, --quiet
              Show results, warnings and errors only

          --json
              Print JSON, one record per line, and never ask

          --json-into <FILE>
              Also write the --json output to this file; the file is emptied first and must not be a
              link

          --log-format <FORMAT>
              Format of the log on stderr; when it is given, or when stderr is the journal, `watch` logs
              everything that it reports [default: text]
              
              [possible values: text, json]

    Every long option can also be set by a variable: --dir by CONTACTSD_DIR. Some can be set in
    contactsd.toml in the working directory. An option wins over a variable, and a variable over the
    file.

    Exit codes: 0 done; 1 any error, or not everything was done; 2 changes (plan or drift with
    --detailed-exitcode); 130 interrupted; 143 terminated.
    [exit 0]
    ");
    for verb in
        ["validate", "plan", "apply", "watch", "sandbox", "state", "state list", "state show", "completions", "man"]
    {
        let help = world.run(&format!("{verb} --help"));
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{verb}");
        assert!(help.stdout.contains(&format!("Usage: contactsd {verb}")), "{help}");
    }
    assert_eq!(world.run("help").stdout, world.run("--help").stdout);
    assert_eq!(world.run("-help").stdout, world.run("--help").stdout);
}

#[test]
fn mistakes_of_usage_exit_with_one() {
    let world = World::with(TEAM);
    assert_snapshot!(world.run("aply"), @"
    [stderr]
    Error: Unrecognized subcommand 'aply'

      tip: a similar subcommand exists: 'apply'

    For more help on using this command, run:
      contactsd --help
    [exit 1]
    ");
    assert_snapshot!(world.run("plan --detailed-exit-code"), @"
    [stderr]
    Error: Unexpected argument '--detailed-exit-code' found

      tip: a similar argument exists: '--detailed-exitcode'

    For more help on using this command, run:
      contactsd plan --help
    [exit 1]
    ");
    assert_snapshot!(world.run(""), @"
    [stderr]Contacts as code for Apollo.io: YAML files say which contacts there are, and contactsd changes
    Apollo to match them

    Usage: contactsd [OPTIONS] <COMMAND>

    Commands:
      init         Make a directory of contact files with a first entry, and a pipeline if you want one
      validate     Check the contact files; sends nothing and needs no key
      fmt          Bring the contact files into one form; what they say stays the same
      explain      Explain an error or a warning by its code, E011 for example
      plan         Show what apply would do; changes nothing, and needs a key only to look up names or
                   with --refresh
      apply        Change Apollo to match the contact files
      drift        Show what has changed in Apollo since it was applied; changes nothing
      export       Write contacts that Apollo has as contact files, each with its id; changes nothing in
                   Apollo
      convert      Write the people of CSV files as contact files; sends nothing and needs no key
      show         Show a saved plan, or what the state holds
      watch        Keep changing Apollo to match the contact files, as a service
      status       Show how the running watch is doing, or what the state holds
      pause        Make the running watch release the state, so that other commands can write it
      resume       Let a paused watch continue
      approve      Let the running watch apply one plan that exceeds its limits
      probe        Find out what Apollo's documentation leaves open, with up to five contacts in a test
                   workspace
      sandbox      Serve the stand-in for Apollo until interrupted
      import       Bind an entry to a contact that Apollo has
      why          Show what is known about a contact, what the next apply would do with it, and why
      forget       Remove every trace of a person from the state; asks first
      lookup       List the stages, custom fields or lists that Apollo has, with their ids
      state        Show what the state remembers, and correct it
      schema       Print the JSON Schema of contact files, or of what --json prints
      completions  Print a completion script for a shell
      man          Print the man pages, or write them into a directory
      version      Print the version
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Options of every command:
          --dir <DIR>  Directory of contact files [default: contacts.d]
          --sandbox    Use a stand-in for Apollo on this machine; needs no key, nothing leaves the
                       machine
          --json       Print JSON, one record per line, and never ask

    Every long option can also be set by a variable: --dir by CONTACTSD_DIR. Some can be set in
    contactsd.toml in the working directory. An option wins over a variable, and a variable over the
    file.

    Exit codes: 0 done; 1 any error, or not everything was done; 2 changes (plan or drift with
    --detailed-exitcode); 130 interrupted; 143 terminated.
    [exit 1]
    ");
    for wrong in [
        "apply --parallelism 0",
        "apply --max-wait soon",
        "apply --limit 7",
        "apply --reserve 100%",
        "plan --max-creates many",
        "plan --sandbox --api-url http://127.0.0.1:1/api/v1",
        "state show",
        "state show /",
        "state",
        "completions klingon",
        "plan --color sometimes",
    ] {
        let outcome = world.run(wrong);
        assert_eq!(outcome.code, Some(1), "{wrong}\n{outcome}");
        assert_eq!(outcome.stdout, "", "{wrong}");
    }
}

#[test]
fn options_may_be_typed_with_one_dash() {
    let remote = Remote::start();
    let world = World::with(TEAM).against(&remote);
    assert_eq!(world.run("plan -detailed-exitcode").code, Some(2));
    assert_eq!(world.run("apply -auto-approve -parallelism=1").code, Some(0));
    assert_eq!(remote.contacts().len(), 1);
}

#[test]
fn colors_are_for_terminals_and_for_those_who_ask() {
    let mut world = World::with(TEAM);
    let colored = |world: &World, line: &str| world.run(line).stdout.contains('\u{1b}');
    assert!(!colored(&world, "plan"));
    assert!(colored(&world, "plan --color always"));
    assert!(!colored(&world, "plan --color never"));
    assert!(!colored(&world, "plan --color auto"));
    assert_eq!(world.run("plan --color always --no-color").code, Some(1));
    // Help and mistakes on the command line keep to it as well.
    for line in ["--help", "plan -h"] {
        assert!(!colored(&world, line), "{line}");
        assert!(colored(&world, &format!("{line} --color always")), "{line}");
        assert!(!colored(&world, &format!("{line} --color never")), "{line}");
    }
    let mistake = |line: &str| world.run(line).stderr.contains('\u{1b}');
    assert!(mistake("paln --color=always") && !mistake("paln") && !mistake("paln --no-color"));
    world.set("FORCE_COLOR", "1");
    assert!(colored(&world, "plan"));
    assert!(!colored(&world, "plan --no-color"));
    world.set("NO_COLOR", "1");
    assert!(!colored(&world, "plan"));
    assert!(colored(&world, "plan --color always"));
    world.unset("NO_COLOR");
    world.unset("FORCE_COLOR");
    world.set("CONTACTSD_COLOR", "always");
    assert!(colored(&world, "plan"));
    world.set("NO_COLOR", "1");
    assert!(!colored(&world, "plan"), "NO_COLOR beats CONTACTSD_COLOR");
    assert!(colored(&world, "plan --color always"));
    world.unset("NO_COLOR");
    assert!(!colored(&world, "plan --no-color"), "a flag beats the twin of its rival");
    world.set("CONTACTSD_COLOR", "never");
    world.set("FORCE_COLOR", "1");
    assert!(!colored(&world, "plan"), "CONTACTSD_COLOR beats FORCE_COLOR");
    world.unset("FORCE_COLOR");
    world.write("contactsd.toml", "color = 'always'\n");
    assert!(!colored(&world, "plan"), "CONTACTSD_COLOR beats the file");
    world.unset("CONTACTSD_COLOR");
    assert!(colored(&world, "plan"));
    world.set("NO_COLOR", "1");
    assert!(!colored(&world, "plan"), "NO_COLOR beats the file");
    world.unset("NO_COLOR");
    world.write("contactsd.toml", "");
    world.set("CONTACTSD_COLOR", "");
    world.set("CONTACTSD_NO_COLOR", "");
    assert!(!colored(&world, "plan"));
}

#[test]
fn quiet_leaves_results_and_errors() {
    let world = World::with(TEAM);
    let outcome = world.run("apply --sandbox --auto-approve --quiet");
    assert_eq!(outcome.code, Some(0));
    assert!(!outcome.stdout.contains("Creating") && !outcome.stdout.contains("Sandbox:"), "{outcome}");
    assert_eq!(outcome.summary(), "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
}

#[test]
fn a_quiet_apply_shows_no_plan_unless_it_asks_about_one() {
    let world = World::with(TEAM);
    let braked = world.run("-q apply --sandbox --auto-approve --max-creates 0");
    assert_eq!((braked.stdout.as_str(), braked.code), ("", Some(1)));
    assert!(braked.stderr.contains("1 contact would be created, and at most 0 may be"), "{braked}");
    let asked = world.run_at_terminal("apply --sandbox --quiet", "no\n");
    assert!(asked.stdout.contains("contact.ada") && asked.stdout.contains("Plan: 1 to add"), "{asked}");
    let outcome = world.run("apply --sandbox --auto-approve --quiet --json-into records.jsonl");
    assert_eq!(outcome.stdout, "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n");
    assert!(
        std::fs::read_to_string(world.path("records.jsonl")).unwrap().contains("planned_change"),
        "programs get the plan"
    );
    let again = world.run("apply --sandbox --auto-approve --quiet");
    assert!(again.stdout.starts_with("No changes."), "{again}");
    assert!(world.run("plan --sandbox --quiet").stdout.starts_with("No changes."));
}

#[test]
fn a_plan_of_thousands_is_shortened_in_a_pipe_too() {
    let world = World::new();
    world.team(&numbered(0..1001));
    let shortened = world.run("plan");
    assert!(shortened.stdout.contains("... and 901 more actions: 901 to add. Add --full to see"), "{shortened}");
    assert_eq!(shortened.stdout.matches("will be created").count(), 100);
    assert_eq!(world.run("plan --full").stdout.matches("will be created").count(), 1001);
    let records = world.run("plan --json");
    assert_eq!(records.stdout.matches("planned_change").count(), 1001, "programs get all of it");
    world.team(&numbered(0..1000));
    assert_eq!(world.run("plan").stdout.matches("will be created").count(), 1000);
}

#[test]
fn variables_stand_for_options_and_unknown_ones_are_told() {
    let mut world = World::new();
    world.write("people/ada.yaml", TEAM);
    world.set("CONTACTSD_DIR", "people");
    assert_eq!(world.run("validate").code, Some(0));
    assert_eq!(world.run("validate --dir elsewhere").code, Some(1));
    world.set("CONTACTSD_DETAILED_EXITCODE", "1");
    assert_eq!(world.run("plan").code, Some(2));
    world.set("CONTACTSD_DETAILED_EXITCODE", "");
    assert_eq!(world.run("plan").code, Some(0));
    world.set("CONTACTSD_DIRR", "people");
    assert_snapshot!(world.run("validate"), @"
    Success! 1 contact in 1 file is valid.
    [stderr]
    Warning: The variable CONTACTSD_DIRR is unknown

    It is set and has no effect. Did you mean CONTACTSD_DIR?
    [exit 0]
    ");
    world.set("CONTACTSD_PARALLELISM", "lots");
    assert_snapshot!(world.run("apply"), @r#"
    [stderr]
    Error: Invalid value 'lots' for '--parallelism <N>': "lots" is not a whole number from 1 to 100

    For more help on using this command, run:
      contactsd apply --help
    Hint: CONTACTSD_PARALLELISM is set in the environment; it is used when the option is not typed.
    [exit 1]
    "#);
}

#[test]
fn a_directory_may_have_any_name_and_what_cannot_be_understood_is_never_passed_over() {
    let mut world = World::with(TEAM);
    world.set("PROGRAM", env!("CARGO_BIN_EXE_contactsd"));
    let run = |script: &str| world.run_script(script, &[].into());
    let variable = run(r"CONTACTSD_DIR=$'other\xff' $PROGRAM plan --sandbox");
    assert_eq!(
        (variable.code, variable.stdout.as_str()),
        (Some(1), ""),
        "contacts.d is not what was meant: {variable}"
    );
    assert!(variable.stderr.contains("The variable CONTACTSD_DIR is not UTF-8 text"), "{variable}");
    for option in ["--dir", "--state"] {
        let empty = world.run_words(["plan", "--sandbox", option, ""]);
        assert_eq!((empty.code, empty.stdout.as_str()), (Some(1), ""), "{empty}");
        assert!(empty.stderr.contains("a directory is needed here, and this is empty"), "{empty}");
    }
    let named = run(r"mv contacts.d $'con\xfftacts'
        $PROGRAM apply --sandbox --auto-approve --dir $'con\xfftacts' && $PROGRAM plan --sandbox --dir $'con\xfftacts'");
    assert!(named.stdout.contains("1 added") && named.stdout.contains("No changes."), "{named}");
}

#[test]
fn a_flag_beats_the_twins_of_its_rivals() {
    const URL: &str = "http://127.0.0.1:1/api/v1";
    let mut world = World::with(TEAM);
    let in_sandbox = |world: &World, line: &str| {
        let outcome = world.run(line);
        assert_eq!(outcome.code, Some(0), "{outcome}");
        outcome.stdout.contains("contactsd apply --sandbox")
    };
    world.set("CONTACTSD_SANDBOX", "true");
    assert!(in_sandbox(&world, "plan"));
    assert!(!in_sandbox(&world, &format!("plan --api-url {URL}")));
    world.set("CONTACTSD_API_URL", URL);
    assert_eq!(world.run("plan").code, Some(1), "which of the two is meant is not clear");
    world.set("CONTACTSD_SANDBOX", "off");
    assert!(!in_sandbox(&world, "plan"));
    world.unset("CONTACTSD_SANDBOX");
    assert!(in_sandbox(&world, "plan --sandbox"));
    world.unset("CONTACTSD_API_URL");
    assert!(!in_sandbox(&world, "plan"));
}

#[test]
fn a_settings_file_may_set_what_a_repository_may_decide() {
    let mut world = World::new();
    world.write("people/ada.yaml", TEAM);
    world.write("contactsd.toml", "dir = \"people\"\ndetailed-exitcode = true\n");
    assert_eq!(world.run("plan").code, Some(2));
    world.set("CONTACTSD_DIR", "elsewhere");
    assert_eq!(world.run("plan").code, Some(1));
    assert_eq!(world.run("plan --dir people").code, Some(2));
    world.unset("CONTACTSD_DIR");
    world.write("contactsd.toml", "auto-approve = true\n");
    assert_snapshot!(world.run("apply"), @"
    [stderr]
    Error: contactsd.toml:1:1: a repository must not set `auto-approve`: it decides what is applied without asking you

    A repository cannot decide this for you. Remove the line. Where you want it, type --auto-approve
    or set CONTACTSD_AUTO_APPROVE. A repository may set: dir, parallelism, batch, limit, reserve,
    max-creates, max-updates, max-forgets, mask, concise, by-file, full, format, json, quiet, color,
    no-color, log-format, detailed-exitcode.
    [exit 1]
    ");
    world.write("contactsd.toml", "dirr = \"people\"\n");
    assert_snapshot!(world.run("plan"), @"
    [stderr]
    Error: contactsd.toml:1:1: there is no setting `dirr`; did you mean dir?

    Settings in contactsd.toml have the names of the long options, without the leading --.
    [exit 1]
    ");
    world.write("contactsd.toml", "dir = \"people\"\nquiet = \n");
    assert_snapshot!(world.run("plan"), @"
    [stderr]
    Error: contactsd.toml:2:9: string values must be quoted, expected literal string

    Settings in contactsd.toml have the names of the long options, without the leading --.
    [exit 1]
    ");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = World::new();
    crate::support::hundred_in_fifty_files(&world);
    let mut running = world.start("plan");
    running.wait_for("following actions");
    running.stop_reading();
    assert_eq!(running.finish().errors(), "");
}

#[test]
fn the_public_api_is_never_asked_without_a_credential() {
    // A proxy that would see any request; nothing may be sent to it.
    let remote = Remote::start();
    let mut world = World::with(TEAM);
    let proxy = remote.url();
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        world.set(name, &proxy);
    }
    for command in ["validate", "plan", "state list", "apply --auto-approve", "apply --auto-approve --sandbox"] {
        world.run(command);
    }
    assert_eq!(remote.take_calls(), [""; 0]);
    assert_eq!(world.run("state list --sandbox").stdout, "contact.ada\n", "loopback passes proxies by");
}
