//! The schema of contact files against everything that is known to be good or bad.

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value as Json;

use super::*;
use crate::model::ContactKey;
use crate::source::merge::Slot;

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// Reads the documents of a file as an editor does: merge keys followed, bare scalars resolved.
fn documents(text: &str) -> Result<Vec<Json>, serde_yaml::Error> {
    let read = |document| {
        let mut value = serde_yaml::Value::deserialize(document)?;
        value.apply_merge()?;
        Ok(json(value))
    };
    serde_yaml::Deserializer::from_str(text).map(read).collect()
}

/// Turns YAML into what JSON can say: names become text.
fn json(value: serde_yaml::Value) -> Json {
    match value {
        serde_yaml::Value::Mapping(map) => {
            let name = |name: serde_yaml::Value| match json(name) {
                Json::String(text) => text,
                other => other.to_string(),
            };
            Json::Object(map.into_iter().map(|(key, value)| (name(key), json(value))).collect())
        }
        serde_yaml::Value::Sequence(items) => items.into_iter().map(json).collect(),
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

fn files_below(place: &Path) -> Vec<PathBuf> {
    if place.is_dir() {
        return fs::read_dir(place).unwrap().flat_map(|inner| files_below(&inner.unwrap().path())).collect();
    }
    place.extension().is_some_and(|extension| extension == "yaml").then(|| place.to_owned()).into_iter().collect()
}

#[track_caller]
fn accepts(text: &str, what: &str) {
    let validator = validator();
    // Some check what they read as it stands, merge keys among the names.
    let unmerged =
        serde_yaml::Deserializer::from_str(text).map(|one| json(serde_yaml::Value::deserialize(one).unwrap()));
    for document in documents(text).unwrap().into_iter().chain(unmerged) {
        let faults: Vec<_> = validator.iter_errors(&document).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{what}: {faults:#?}");
    }
}

#[test]
fn every_sample_and_every_good_fixture_fits_and_names_its_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["contacts.d", "examples"].into_iter().flat_map(|place| files_below(&root.join(place)));
    // Examples hold YAML of other kinds, too: manifests and rules.
    let is_sample = |path: &PathBuf| path.components().any(|part| part.as_os_str() == "contacts.d");
    let samples: Vec<_> = files.filter(is_sample).collect();
    assert!(samples.len() >= 6, "{samples:?}");
    for path in &samples {
        let text = fs::read_to_string(path).unwrap();
        accepts(&text, &path.display().to_string());
        let line = text.lines().next().unwrap();
        let schema = line.strip_prefix("# yaml-language-server: $schema=").expect("a sample names its schema first");
        let named = path.parent().unwrap().join(schema).canonicalize().unwrap();
        assert_eq!(named, root.join("docs/schemas/contacts.json").canonicalize().unwrap(), "{}", path.display());
    }
    accepts(&fs::read_to_string(root.join("tests/fixtures/contacts/letters.yaml")).unwrap(), "letters.yaml");
}

#[test]
fn the_good_sample_of_every_code_fits_and_the_schema_refuses_what_it_can() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
    let mut refused = Vec::new();
    for code in Code::ALL {
        let page = fs::read_to_string(pages.join(format!("{code}.md"))).unwrap();
        let samples: Vec<_> = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        let [bad, good] = samples[..] else { continue };
        accepts(good, code.as_str());
        if documents(bad).unwrap_or_default().iter().any(|document| !validator().is_valid(document)) {
            refused.push(code.as_str());
        }
    }
    insta::assert_snapshot!(refused.join(" "), @"E006 E007 E008 E009 E011 E012 E014 E016 E017 E018 E019 E027 E028 E035 W109");
}

#[test]
fn keys_and_their_pattern_agree() {
    let schema = schema();
    let keys = jsonschema::draft202012::new(&schema["properties"]["contacts"]["propertyNames"]).unwrap();
    let long = "k".repeat(128);
    for key in ["a", "7", "ada.q-1_x@example.com+y", "", ".a", "-a", "a b", "é", &long, &format!("{long}k"), "a\n"] {
        assert_eq!(keys.is_valid(&key.into()), ContactKey::parse(key).is_ok(), "{key:?}");
    }
}

#[test]
fn every_field_is_there_and_described() {
    let schema = schema();
    let contact = &schema["$defs"]["contact"];
    for name in Slot::names() {
        let described = contact["properties"][name]["description"].as_str().is_some_and(|text| text.len() > 5);
        assert!(described, "{name}");
    }
}

#[test]
fn merge_keys_may_stand_in_every_map() {
    let text = "
contacts:
  ada: &ada
    <<: &company { organization_name: Example }
    last_name: Byron
    typed_custom_fields: &fields { 66f0a1b2c3d4e5f601234567: Gold }
  bob:
    <<: [*ada, *company]
    typed_custom_fields: { <<: *fields, 66f0a1b2c3d4e5f601234568: no }
  <<: { cy: { last_name: Quill } }
defaults: { <<: { title: CTO } }
";
    clean(text);
    accepts(text, "merge keys");
}
