//! The examples for Kubernetes and Prometheus name what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Value;

use crate::status::{address, get};
use crate::support::{Remote, World};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Reads all documents of a file.
fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let read = |document| Value::deserialize(document).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::Deserializer::from_str(&text).map(read).collect()
}

fn base(kind: &str) -> Value {
    let all = ["deployment", "service", "volume", "kustomization"]
        .map(|name| documents(&folder(&format!("kubernetes/base/{name}.yaml"))));
    all.into_iter().flatten().find(|document| document["kind"] == kind).unwrap()
}

fn git_sync() -> Value {
    documents(&folder("kubernetes/git-sync/git-sync.yaml")).remove(0)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_sequence().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn pod(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]
}

fn container<'a>(deployment: &'a Value, name: &str) -> &'a Value {
    let containers = pod(deployment)["containers"].as_sequence().unwrap();
    containers.iter().find(|container| container["name"] == name).unwrap()
}

/// The value of a long flag.
fn flag(container: &Value, name: &str) -> String {
    let start = format!("--{name}=");
    let found = texts(&container["args"]).iter().find_map(|arg| arg.strip_prefix(&start).map(str::to_owned));
    found.unwrap_or_else(|| panic!("no {name}"))
}

/// Where the volumes of a container are mounted.
fn mounts(container: &Value) -> BTreeMap<String, String> {
    let text = |mount: &Value, name: &str| mount[name].as_str().unwrap().to_owned();
    let mounts = container["volumeMounts"].as_sequence().unwrap().iter();
    mounts.filter(|mount| mount.get("name").is_some()).map(|m| (text(m, "name"), text(m, "mountPath"))).collect()
}

#[test]
fn the_flags_and_variables_of_the_manifests_exist() {
    let deployment = base("Deployment");
    for container in [container(&deployment, "contactsd"), container(&git_sync(), "contactsd")] {
        let args = texts(&container["args"]).join(" ");
        let mut world = World::new();
        for variable in container["env"].as_sequence().into_iter().flatten() {
            world.set(variable["name"].as_str().unwrap(), variable["value"].as_str().unwrap());
        }
        // The help is given when all before it was understood.
        let understood = world.run(&format!("{args} --help"));
        assert_eq!((understood.code, understood.stderr.as_str()), (Some(0), ""), "{args}");
        let unknown = world.run(&format!("{args} --no-such-flag --help"));
        assert_eq!(unknown.code, Some(1), "{args}");
        assert_eq!(world.run("version").stderr, "", "a variable means nothing");
    }
}

#[test]
fn paths_and_ports_of_the_manifests_agree() {
    let deployment = base("Deployment");
    let contactsd = container(&deployment, "contactsd");
    let mounted = mounts(contactsd);
    assert_eq!(flag(contactsd, "dir"), mounted["contacts"]);
    assert!(flag(contactsd, "state").starts_with(&format!("{}/", mounted["state"])));
    assert_eq!(contactsd["workingDir"], Value::from(mounted["state"].as_str()));
    let key = contactsd["env"].as_sequence().unwrap().iter().find(|v| v["name"] == "APOLLO_API_KEY_FILE").unwrap();
    assert!(key["value"].as_str().unwrap().starts_with(&format!("{}/", mounted["apollo"])));
    let volumes: BTreeSet<&str> =
        pod(&deployment)["volumes"].as_sequence().unwrap().iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(volumes, mounted.keys().map(String::as_str).collect());
    let port = &contactsd["ports"][0];
    assert!(flag(contactsd, "listen").ends_with(&format!(":{}", port["containerPort"].as_u64().unwrap())));
    let service = base("Service");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port["name"]);
    assert_eq!(service["spec"]["publishNotReadyAddresses"], Value::from(true));
    assert_eq!(flag(contactsd, "listen-name"), service["metadata"]["name"].as_str().unwrap());
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(&service["spec"]["selector"], labels);
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")] {
        assert_eq!(contactsd[probe]["httpGet"]["path"], path);
        assert_eq!(contactsd[probe]["httpGet"]["port"], port["name"]);
    }
    let claim = &base("PersistentVolumeClaim")["metadata"]["name"];
    let state = pod(&deployment)["volumes"].as_sequence().unwrap().iter().find(|v| v["name"] == "state").unwrap();
    assert_eq!(&state["persistentVolumeClaim"]["claimName"], claim);
    let map = &base("Kustomization")["configMapGenerator"][0];
    let contacts = pod(&deployment)["volumes"].as_sequence().unwrap().iter().find(|v| v["name"] == "contacts").unwrap();
    assert_eq!(contacts["configMap"]["name"], map["name"]);
    let sidecar = git_sync();
    let (synced, sync) = (container(&sidecar, "contactsd"), container(&sidecar, "git-sync"));
    assert_eq!(mounts(synced)["contacts"], flag(sync, "root"));
    assert!(flag(synced, "dir").starts_with(&format!("{}/{}/", flag(sync, "root"), flag(sync, "link"))));
    for name in ["state", "listen", "listen-name", "log-format"] {
        assert_eq!(flag(synced, name), flag(contactsd, name), "{name}");
    }
}

#[test]
fn the_pod_has_no_more_rights_than_it_needs() {
    let deployment = base("Deployment");
    assert_eq!(deployment["spec"]["replicas"], Value::from(1));
    assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate");
    assert_eq!(pod(&deployment)["securityContext"]["runAsNonRoot"], Value::from(true));
    assert_eq!(pod(&deployment)["automountServiceAccountToken"], Value::from(false));
    for container in [container(&deployment, "contactsd"), container(&git_sync(), "git-sync")] {
        let context = &container["securityContext"];
        assert_eq!(context["readOnlyRootFilesystem"], Value::from(true));
        assert_eq!(context["allowPrivilegeEscalation"], Value::from(false));
        assert_eq!(texts(&context["capabilities"]["drop"]), ["ALL"]);
        assert!(container["resources"]["limits"]["memory"].is_string());
    }
}

#[test]
fn two_replicas_share_a_state_in_a_database() {
    let patch = documents(&folder("kubernetes/database/database.yaml")).remove(0);
    assert_eq!(patch["spec"]["replicas"], Value::from(2));
    let (base, patched) = (base("Deployment"), container(&patch, "contactsd").clone());
    let without_state = |container: &Value| {
        texts(&container["args"]).into_iter().filter(|arg| !arg.starts_with("--state")).collect::<Vec<_>>()
    };
    assert_eq!(texts(&patched["args"]), without_state(container(&base, "contactsd")), "the variable names the state");
    let understood = World::new().run(&format!("{} --help", texts(&patched["args"]).join(" ")));
    assert_eq!((understood.code, understood.stderr.as_str()), (Some(0), ""));
    assert_eq!(patched["env"][0]["name"], "CONTACTSD_STATE");
    // No disk is claimed: what the volume was is gone, and so is the claim.
    let volume = &pod(&patch)["volumes"][0];
    assert_eq!((&volume["name"], &volume["persistentVolumeClaim"]), (&Value::from("state"), &Value::Null));
    let kustomization = documents(&folder("kubernetes/database/kustomization.yaml")).remove(0);
    let claim = base_claim();
    assert!(kustomization["patches"][1]["patch"].as_str().unwrap().contains(&format!("name: {claim}")));
}

fn base_claim() -> String {
    base("PersistentVolumeClaim")["metadata"]["name"].as_str().unwrap().to_owned()
}

#[test]
fn every_file_of_the_manifests_is_used_and_valid() {
    let kustomization = base("Kustomization");
    let map = &kustomization["configMapGenerator"][0];
    let named: BTreeSet<String> = texts(&kustomization["resources"])
        .into_iter()
        .chain(texts(&map["files"]))
        .chain(["kustomization.yaml".into()])
        .collect();
    let folder = folder("kubernetes/base");
    let files = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let there = files(&folder).into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    let there: BTreeSet<String> =
        there.map(|path| path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(named, there);
    let world = World::new();
    for file in texts(&map["files"]) {
        world.write(&file, &fs::read_to_string(folder.join(&file)).unwrap());
    }
    let outcome = world.run("validate");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

/// Returns the metrics that a text names.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with("contactsd_"));
    words.map(str::to_owned).collect()
}

#[test]
fn every_figure_of_the_alerts_and_the_manual_is_there() {
    // An Apollo that tells no limit has no quota to show.
    let remote = Remote::with(|options| options.quota = "200/m,400/h,2000/d".parse().unwrap());
    let world = World::with("contacts:\n  ada: {email: ada@example.com}\n").against(&remote);
    let mut watching = world.start("watch --listen 127.0.0.1:0");
    let address = address(&mut watching);
    watching.wait_for("complete");
    let metrics = loop {
        let (_, metrics) = get(&address, "/metrics");
        // The board is told of quota with the end of the pass.
        if metrics.contains("\ncontactsd_ready 1\n") {
            break metrics;
        }
        std::thread::yield_now();
    };
    let families: BTreeSet<String> =
        metrics.lines().filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split(' ').next()?.to_owned())).collect();
    let rules = documents(&folder("prometheus/alerts.yaml")).remove(0);
    let rules = rules["groups"][0]["rules"].as_sequence().unwrap();
    let used: BTreeSet<String> = rules.iter().flat_map(|rule| names(rule["expr"].as_str().unwrap())).collect();
    assert!(used.len() >= 8, "{used:?}");
    let missing: Vec<_> = used.difference(&families).collect();
    assert!(missing.is_empty(), "alerts name figures that are not there: {missing:?}\n{metrics}");
    let manual = fs::read_to_string(folder("../docs/operations.md")).unwrap();
    let table: BTreeSet<String> = manual
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `contactsd_")?.split(['`', '{']).next()?.to_owned()))
        .map(|rest| format!("contactsd_{rest}"))
        .collect();
    assert_eq!(table, families, "docs/operations.md lists the figures");
}
