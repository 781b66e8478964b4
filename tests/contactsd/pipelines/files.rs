//! What the files themselves promise: flags that exist, few rights, nothing personal left behind.

use std::fs;

use serde_yaml::Value;

use super::hosting::{component, document, example};
use crate::support::World;

const WORKFLOWS: [&str; 3] = ["plan", "apply", "drift"];

/// Returns the text of every script, without looking at whose it is.
fn scripts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Mapping(mapping) => {
            for (name, inner) in mapping {
                match (name.as_str(), inner) {
                    (Some("run" | "entry"), Value::String(script)) => found.push(script.clone()),
                    (Some("script" | "before_script"), Value::Sequence(lines)) => {
                        found.extend(lines.iter().filter_map(Value::as_str).map(str::to_owned));
                    }
                    _ => scripts(inner, found),
                }
            }
        }
        Value::Sequence(values) => values.iter().for_each(|inner| scripts(inner, found)),
        _ => {}
    }
}

/// Returns the arguments of each call of contactsd in a script.
fn calls(script: &str) -> Vec<String> {
    let call = |line: &str| {
        let rest = line.trim().strip_prefix("contactsd ")?;
        let words = rest.split(' ').take_while(|word| ![">", "|", "||", "&&"].contains(word));
        // A digest is the only value that scripts fill in.
        let words = words.map(|word| if word.contains('$') { "0".repeat(32) } else { word.to_owned() });
        Some(words.collect::<Vec<_>>().join(" "))
    };
    let found: Vec<String> = script.lines().filter_map(call).collect();
    let named = script.matches("contactsd ").count();
    assert_eq!(found.len(), named, "a call that is not the first word of its line: {script}");
    found
}

#[test]
fn every_flag_of_the_pipelines_exists() {
    let files = ["../action.yml", "pre-commit/.pre-commit-hooks.yaml"];
    let files = files.into_iter().map(|file| (file, document(file))).chain([("the component", component())]);
    let mut verbs = Vec::new();
    for (file, document) in files {
        let mut found = Vec::new();
        scripts(&document, &mut found);
        for line in found.iter().flat_map(|script| calls(script)) {
            // The help is given when all before it was understood.
            let understood = World::new().run(&format!("{line} --help"));
            assert_eq!((understood.code, understood.stderr.as_str()), (Some(0), ""), "{file}: {line}");
            assert_eq!(World::new().run(&format!("{line} --no-such-flag --help")).code, Some(1), "{file}: {line}");
            verbs.push(line.split(' ').next().unwrap().to_owned());
        }
    }
    for verb in ["validate", "fmt", "plan", "apply"] {
        assert!(verbs.iter().filter(|used| *used == verb).count() >= 2, "{verb}: {verbs:?}");
    }
}

#[test]
fn every_file_of_the_workflows_is_looked_at() {
    let mut names: Vec<String> = fs::read_dir(example("github-actions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["README.md", "apply.yaml", "drift.yaml", "plan.yaml"]);
}

#[test]
fn only_the_job_that_applies_gets_the_key_and_none_more_rights_than_it_needs() {
    let rights =
        |name: &str| serde_yaml::to_string(&document(&format!("github-actions/{name}.yaml"))["permissions"]).unwrap();
    assert_eq!(rights("plan"), "contents: read\npull-requests: write\n");
    assert_eq!(rights("apply"), "contents: read\npull-requests: read\n");
    assert_eq!(rights("drift"), "contents: read\nissues: write\n");
    for name in WORKFLOWS {
        let workflow = document(&format!("github-actions/{name}.yaml"));
        let jobs = workflow["jobs"].as_mapping().unwrap();
        assert_eq!(jobs.len(), 1, "{name}");
        let job = &workflow["jobs"][name];
        assert!(job["permissions"].is_null(), "{name}");
        assert_eq!(job["environment"] == "apollo", name == "apply");
        assert_eq!(job["steps"][0]["with"]["persist-credentials"], Value::from(false));
        let text = fs::read_to_string(example(&format!("github-actions/{name}.yaml"))).unwrap();
        assert_eq!(text.contains("secrets.APOLLO_API_KEY"), name == "apply");
        let keys = usize::from(name == "apply") + usize::from(name == "drift");
        assert_eq!(text.matches("secrets.").count(), 1 + keys, "the state, and the key");
        assert!(!text.contains("artifact") && !text.contains("cache"), "{name} leaves personal data behind");
    }
    let gitlab = component();
    for (name, job) in gitlab.as_mapping().unwrap() {
        let job_named = name.as_str().unwrap();
        assert_eq!(job["environment"] == "apollo", job_named == "contactsd-apply", "{job_named}");
        assert!(job["cache"].is_null(), "{job_named} leaves personal data behind");
        // What is wrong with the files, for whoever may read these.
        assert_eq!(job["artifacts"].is_null(), job_named != "contactsd-validate", "{job_named}");
    }
    assert_eq!(gitlab["contactsd-apply"]["interruptible"], Value::from(false));
    assert_eq!(document("github-actions/apply.yaml")["concurrency"]["cancel-in-progress"], Value::from(false));
}

#[test]
fn the_release_that_is_installed_is_that_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(document("../action.yml")["inputs"]["version"]["default"], version);
    let text = fs::read_to_string(example("../templates/contactsd.yml")).unwrap();
    assert!(text.contains(&format!("\n      default: {version}\n")), "{version}");
    let include = &document("gitlab-ci/.gitlab-ci.yml")["include"][0]["component"];
    assert!(include.as_str().unwrap().ends_with(&format!("@{version}")), "{include:?}");
    for name in WORKFLOWS {
        for step in document(&format!("github-actions/{name}.yaml"))["jobs"][name]["steps"].as_sequence().unwrap() {
            let (action, pinned) = step["uses"].as_str().unwrap().split_once('@').unwrap();
            match action {
                "example/contactsd" => assert_eq!(pinned, format!("v{version}")),
                _ => assert!(pinned.len() == 40 && pinned.bytes().all(|byte| byte.is_ascii_hexdigit()), "{action}"),
            }
        }
    }
}

#[test]
fn the_hooks_check_and_format_what_is_committed() {
    let hooks = document("pre-commit/.pre-commit-hooks.yaml");
    let hooks = hooks.as_sequence().unwrap();
    assert_eq!(hooks.len(), 2);
    let world = World::with("contacts:\n  ada: {email: nobody}\n");
    for hook in hooks {
        for name in ["id", "name", "entry", "language", "files"] {
            assert!(hook[name].is_string(), "{name}");
        }
        assert_eq!(hook["language"], "system");
        let entry = hook["entry"].as_str().unwrap().strip_prefix("contactsd ").unwrap();
        let names = if hook["pass_filenames"] == false { "" } else { " contacts.d/team.yaml" };
        world.team("contacts:\n  ada: {email: nobody, bo\n");
        assert_eq!(world.run(&format!("{entry}{names}")).code, Some(1), "{entry}");
        world.team("contacts:\n  ada:\n      email:   ada@example.com\n");
        assert_eq!(world.run(&format!("{entry}{names}")).code, Some(0), "{entry}");
    }
    let formatted = fs::read_to_string(world.path("contacts.d/team.yaml")).unwrap();
    assert_eq!(formatted, "contacts:\n  ada:\n    email: ada@example.com\n");
}

#[test]
fn the_image_is_small_and_nobody_in_it_is_root() {
    let text = fs::read_to_string(example("container/Dockerfile")).unwrap();
    let instructions: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let of = |name: &str| -> Vec<&str> {
        instructions.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect()
    };
    let bases = of("FROM");
    assert_eq!(bases.len(), 2);
    assert!(bases[1].contains("distroless/static"), "{bases:?}");
    // What it holds is what was released: nothing is compiled.
    assert!(instructions.iter().all(|line| !line.contains("cargo")) && text.contains("SHA256SUMS"), "{text}");
    // The same as in the manifests for Kubernetes.
    assert_eq!(of("USER"), ["65532:65532"]);
    assert_eq!(of("ENTRYPOINT"), [r#"["/usr/local/bin/contactsd"]"#]);
    assert_eq!(of("ARG"), ["VERSION", "TARGETARCH"], "no secret in a layer");
    assert_eq!(of("ENV"), ["CONTACTSD_STATE=/var/lib/contactsd/state"], "no secret in a layer");
}
