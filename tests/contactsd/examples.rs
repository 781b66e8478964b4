//! The examples for Kubernetes, Prometheus and Grafana name what there is.

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

/// The one document of a file of a component.
fn component(name: &str, file: &str) -> Value {
    documents(&folder(&format!("kubernetes/components/{name}/{file}.yaml"))).remove(0)
}

fn git_sync() -> Value {
    component("git-sync", "git-sync")
}

/// Every directory below `kubernetes/` that kustomize can be given, with what it says there.
fn kustomizations() -> Vec<(PathBuf, Value)> {
    let (mut found, mut ahead) = (Vec::new(), vec![folder("kubernetes")]);
    while let Some(at) = ahead.pop() {
        let below = fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path());
        ahead.extend(below.filter(|path| path.is_dir()));
        let file = at.join("kustomization.yaml");
        if file.exists() {
            found.push((at, documents(&file).remove(0)));
        }
    }
    found
}

/// The texts of a list; none where there is no list.
fn texts(list: &Value) -> Vec<String> {
    list.as_sequence().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
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

/// The value of a variable of the environment.
fn variable(container: &Value, name: &str) -> String {
    let mut variables = container["env"].as_sequence().unwrap().iter();
    let found = variables.find(|variable| variable["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    found["value"].as_str().unwrap().to_owned()
}

/// Where the volumes of a container are mounted.
fn mounts(container: &Value) -> BTreeMap<String, String> {
    let text = |mount: &Value, name: &str| mount[name].as_str().unwrap().to_owned();
    let mounts = container["volumeMounts"].as_sequence().unwrap().iter();
    mounts.filter(|mount| mount.get("name").is_some()).map(|m| (text(m, "name"), text(m, "mountPath"))).collect()
}

#[test]
fn the_flags_and_variables_of_the_manifests_exist() {
    let parts = [base("Deployment"), git_sync(), component("database", "database")];
    let args = texts(&container(&parts[0], "contactsd")["args"]).join(" ");
    for deployment in &parts {
        let container = container(deployment, "contactsd");
        assert!(container["args"].is_null() || deployment == &parts[0], "parts put together would lose arguments");
        let mut world = World::new();
        for variable in container["env"].as_sequence().unwrap() {
            // What comes out of a secret is the URL of a state.
            let value = variable["value"].as_str().unwrap_or("postgres://contactsd@127.0.0.1:1/contactsd?state=sales");
            world.set(variable["name"].as_str().unwrap(), value);
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
    assert_eq!(variable(contactsd, "CONTACTSD_DIR"), mounted["contacts"]);
    assert!(variable(contactsd, "CONTACTSD_STATE").starts_with(&format!("{}/", mounted["state"])));
    assert_eq!(contactsd["workingDir"], Value::from(mounted["state"].as_str()));
    assert!(variable(contactsd, "APOLLO_API_KEY_FILE").starts_with(&format!("{}/", mounted["apollo"])));
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
    let linked = format!("{}/{}/", flag(sync, "root"), flag(sync, "link"));
    assert!(variable(synced, "CONTACTSD_DIR").starts_with(&linked));
    let port = &sync["ports"][0];
    assert_eq!(flag(sync, "http-bind"), format!(":{}", port["containerPort"].as_u64().unwrap()));
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(sync[probe]["httpGet"]["path"], "/", "the one page that git-sync answers");
        assert_eq!(sync[probe]["httpGet"]["port"], port["name"]);
    }
}

#[test]
fn what_is_let_through_and_what_is_scraped_is_the_pod_and_its_port() {
    let deployment = base("Deployment");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let port = &container(&deployment, "contactsd")["ports"][0]["name"];
    let (policy, database) = (
        component("network-policy", "network-policy"),
        component("network-policy-database", "network-policy-database"),
    );
    for policy in [&policy, &database] {
        assert_eq!(&policy["spec"]["podSelector"]["matchLabels"], labels);
    }
    // Whoever is not named is kept out: one rule for the figures, and of the rest nothing.
    assert_eq!(texts(&policy["spec"]["policyTypes"]), ["Ingress", "Egress"]);
    let incoming = policy["spec"]["ingress"].as_sequence().unwrap();
    assert_eq!((incoming.len(), incoming[0]["ports"].as_sequence().unwrap().len()), (1, 1));
    assert_eq!(&incoming[0]["ports"][0]["port"], port);
    assert!(incoming[0]["from"][0]["namespaceSelector"]["matchLabels"].is_mapping());
    let ports = |policy: &Value| -> BTreeSet<u64> {
        let rules = policy["spec"]["egress"].as_sequence().unwrap().iter();
        rules.flat_map(|rule| rule["ports"].as_sequence().unwrap()).map(|port| port["port"].as_u64().unwrap()).collect()
    };
    assert_eq!((ports(&policy), ports(&database)), ([53, 443].into(), [5432].into()));
    assert!(policy["spec"]["egress"].as_sequence().unwrap().iter().all(|rule| rule["to"].is_sequence()));

    let monitor = component("pod-monitor", "pod-monitor");
    assert_eq!(&monitor["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&monitor["spec"]["podMetricsEndpoints"][0]["port"], port);
    assert_eq!(monitor["spec"]["podMetricsEndpoints"][0]["path"], "/metrics");
    // The alerts know the service by its job.
    let job = labels[monitor["spec"]["jobLabel"].as_str().unwrap()].as_str().unwrap();
    assert!(fs::read_to_string(folder("prometheus/alerts.yaml")).unwrap().contains(&format!("up{{job=\"{job}\"}}")));
}

#[test]
fn images_are_named_in_one_place_and_no_digest_is_made_up() {
    let mut named = BTreeSet::new();
    for (at, kustomization) in kustomizations() {
        let text = fs::read_to_string(at.join("kustomization.yaml")).unwrap();
        let is_hex = |word: &str| word.chars().take_while(char::is_ascii_hexdigit).count() >= 8;
        assert!(!text.split("sha256:").skip(1).any(is_hex), "{}", at.display());
        let images = kustomization["images"].as_sequence().into_iter().flatten();
        named.extend(images.map(|image| image["name"].as_str().unwrap().to_owned()));
    }
    let (base, sync) = (base("Deployment"), git_sync());
    let used = [container(&base, "contactsd"), container(&sync, "git-sync")].map(|container| &container["image"]);
    assert_eq!(named, used.map(|image| image.as_str().unwrap().to_owned()).into());
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
    let patch = component("database", "database");
    assert_eq!(patch["spec"]["replicas"], Value::from(2));
    let state = &container(&patch, "contactsd")["env"][0];
    assert_eq!(state["name"], "CONTACTSD_STATE");
    // The place on the disk is taken out, which kustomize does where it reads null.
    assert_eq!(state.get("value"), Some(&Value::Null));
    assert!(state["valueFrom"]["secretKeyRef"]["key"].is_string());
    // No disk is claimed: what the volume was is gone, and so is the claim.
    let volume = &pod(&patch)["volumes"][0];
    assert_eq!((&volume["name"], &volume["persistentVolumeClaim"]), (&Value::from("state"), &Value::Null));
    let kustomization = component("database", "kustomization");
    let claim = base("PersistentVolumeClaim")["metadata"]["name"].as_str().unwrap().to_owned();
    assert!(kustomization["patches"][1]["patch"].as_str().unwrap().contains(&format!("name: {claim}")));
}

#[test]
fn every_file_of_the_manifests_is_used_and_valid() {
    let all = kustomizations();
    assert!(all.len() >= 8, "{}", all.len());
    let mut used = BTreeSet::new();
    for (at, kustomization) in &all {
        let is_component = at.starts_with(folder("kubernetes/components"));
        assert_eq!(kustomization["kind"] == "Component", is_component, "{}", at.display());
        let maps = kustomization["configMapGenerator"].as_sequence().into_iter().flatten();
        let patches = kustomization["patches"].as_sequence().into_iter().flatten();
        let named = texts(&kustomization["resources"])
            .into_iter()
            .chain(texts(&kustomization["components"]))
            .chain(maps.flat_map(|map| texts(&map["files"])))
            .chain(patches.filter_map(|patch| Some(patch["path"].as_str()?.to_owned())))
            .chain(["kustomization.yaml".into()]);
        let named: BTreeSet<PathBuf> = named.map(|name| at.join(name).canonicalize().unwrap()).collect();
        let there =
            files(at).into_iter().filter(|path| !all.iter().any(|(other, _)| other != at && path.starts_with(other)));
        let unnamed: Vec<_> = there.filter(|path| !named.contains(&path.canonicalize().unwrap())).collect();
        assert!(unnamed.is_empty(), "no kustomization names {unnamed:?}");
        used.extend(named);
    }
    for (at, _) in all.iter().filter(|(at, _)| at.starts_with(folder("kubernetes/components"))) {
        assert!(used.contains(&at.canonicalize().unwrap()), "nothing uses {}", at.display());
    }
    let world = World::new();
    for file in texts(&base("Kustomization")["configMapGenerator"][0]["files"]) {
        world.write(&file, &fs::read_to_string(folder("kubernetes/base").join(&file)).unwrap());
    }
    let outcome = world.run("validate");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

/// Every file below a directory.
fn files(at: &Path) -> Vec<PathBuf> {
    let there = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path());
    there.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Returns the metrics that a text names.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with("contactsd_"));
    words.map(str::to_owned).collect()
}

/// Returns the labels by which a query chooses or counts, and those that its legend shows.
fn labels(query: &str, legend: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for chosen in query.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        found.extend(chosen.split(',').filter_map(|matcher| matcher.split(['=', '!']).next()));
    }
    for counted in query.split("by (").skip(1).filter_map(|rest| rest.split(')').next()) {
        found.extend(counted.split(','));
    }
    found.extend(legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()));
    found.into_iter().map(|label| label.trim().to_owned()).collect()
}

/// Every query of the dashboard, with its legend.
fn queries(value: &serde_json::Value, found: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(map) => {
            if let Some(query) = value["expr"].as_str() {
                found.push((query.to_owned(), value["legendFormat"].as_str().unwrap_or_default().to_owned()));
            }
            map.values().for_each(|inner| queries(inner, found));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|inner| queries(inner, found)),
        _ => {}
    }
}

#[test]
fn every_figure_of_the_alerts_the_dashboard_and_the_manual_is_there() {
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
    let kinds: BTreeMap<String, String> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect();
    let families: BTreeSet<String> = kinds.keys().cloned().collect();
    let rules = documents(&folder("prometheus/alerts.yaml")).remove(0);
    let rules = rules["groups"][0]["rules"].as_sequence().unwrap();
    let used: BTreeSet<String> = rules.iter().flat_map(|rule| names(rule["expr"].as_str().unwrap())).collect();
    assert!(used.len() >= 8, "{used:?}");
    let missing: Vec<_> = used.difference(&families).collect();
    assert!(missing.is_empty(), "alerts name figures that are not there: {missing:?}\n{metrics}");
    let manual = fs::read_to_string(folder("../docs/operations.md")).unwrap();
    let table: BTreeMap<String, BTreeSet<String>> = manual
        .lines()
        .filter_map(|line| line.strip_prefix("| `contactsd_")?.split('`').next())
        .map(|name| {
            let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
            let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
            (format!("contactsd_{name}"), labels.map(str::to_owned).collect())
        })
        .collect();
    let listed: BTreeSet<String> = table.keys().cloned().collect();
    assert_eq!(listed, families, "docs/operations.md lists the figures");

    let dashboard = fs::read_to_string(folder("grafana/dashboard.json")).unwrap();
    let mut found = Vec::new();
    queries(&serde_json::from_str(&dashboard).unwrap(), &mut found);
    assert!(found.len() > 20, "{found:?}");
    let mut shown = BTreeSet::new();
    for (query, legend) in &found {
        let mut known: BTreeSet<String> = ["job", "instance"].map(str::to_owned).into();
        for name in names(query) {
            // A histogram is counted in buckets, and in nothing else here.
            let family = name.strip_suffix("_bucket").unwrap_or(&name).to_owned();
            let kind = kinds.get(&family).unwrap_or_else(|| panic!("{name} is not there: {query}\n{metrics}"));
            assert_eq!(kind == "histogram", family != name, "{name} is a {kind}: {query}");
            assert!(kind != "counter" || query.contains("rate(") || query.contains("increase("), "{query}");
            assert!(metrics.contains(&format!("\n{name}")), "{name} has no value: {query}\n{metrics}");
            known.extend(table[&family].iter().cloned());
            known.extend((kind == "histogram").then(|| "le".to_owned()));
            shown.insert(family);
        }
        let unknown: Vec<_> = labels(query, legend).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "no figure has the labels {unknown:?}: {query} {legend}");
    }
    let left_out: Vec<_> = families.difference(&shown).collect();
    assert!(left_out.is_empty(), "the dashboard does not show {left_out:?}");
}
