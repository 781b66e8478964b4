//! The files that `init` writes. The pipelines are those of `examples/`, so that there is one of each.

use crate::settings::Forge;

/// Where the first entry stands in the contact directory.
pub(super) const ENTRY: &str = "team.yaml";

/// The schema of contact files, by which editors complete and check; the first line of an entry's file names it.
pub(super) const SCHEMA: &str = "contacts.schema.json";

pub(super) const FIRST_ENTRY: &str = "\
# yaml-language-server: $schema=contacts.schema.json
# Contacts, each under a key of your choice. This one is made up: put your own people in its place.

contacts:
  ada-quill:
    first_name: Ada
    last_name: Quill
    organization_name: Example Engines
    title: Analyst
    email: ada.quill@example.com
";

/// What git is told to pass over.
pub(super) const IGNORED: &str = ".contactsd/\n";

/// Reports whether a line of `.gitignore` says as much.
pub(super) fn ignores(line: &str) -> bool {
    line.trim_end().trim_start_matches('/').trim_end_matches('/') == ".contactsd"
}

/// The contact directory that the examples are for, at the top level of a repository.
const USUAL: &str = "contacts.d";

const GITHUB: [(&str, &str); 3] = [
    (".github/workflows/contactsd-plan.yaml", include_str!("../../../examples/github-actions/plan.yaml")),
    (".github/workflows/contactsd-apply.yaml", include_str!("../../../examples/github-actions/apply.yaml")),
    (".github/workflows/contactsd-drift.yaml", include_str!("../../../examples/github-actions/drift.yaml")),
];

const GITLAB: [(&str, &str); 1] = [(".gitlab-ci.yml", include_str!("../../../examples/gitlab-ci/.gitlab-ci.yml"))];

/// Lists the files of a forge's pipeline, each with its place below the top level of the repository.
pub(super) fn pipeline(forge: Forge) -> impl Iterator<Item = (&'static str, &'static str)> {
    let files: &[_] = match forge {
        Forge::GitHub => &GITHUB,
        Forge::GitLab => &GITLAB,
    };
    files.iter().copied()
}

/// Reports whether a name means itself in YAML and in the patterns of both forges.
pub(super) fn is_plain(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
}

/// Writes a pipeline for a contact directory, which is named as seen from the top level of its repository.
pub(super) fn of_directory(forge: Forge, text: &str, contacts: &str) -> String {
    let folder = match forge {
        Forge::GitHub => "github-actions",
        Forge::GitLab => "gitlab-ci",
    };
    let text = text.replace("README.md", &format!("examples/{folder}/README.md of contactsd"));
    if contacts == USUAL {
        return text;
    }
    let dir = if contacts.is_empty() { "." } else { contacts };
    let text = match forge {
        // The variables of the whole file stand at its margin.
        Forge::GitHub => text.replacen("\nenv:\n", &format!("\nenv:\n  CONTACTSD_DIR: \"{dir}\"\n"), 1),
        Forge::GitLab => text.replacen(&format!(" dir: {USUAL}\n"), &format!(" dir: \"{dir}\"\n"), 1),
    };
    filtered(&text, contacts)
}

/// Names the contact directory in the filters of a pipeline, each a pattern in a list: `[contacts.d/**, contactsd.toml]`.
fn filtered(text: &str, contacts: &str) -> String {
    let start = if contacts.is_empty() { String::new() } else { format!("{contacts}/") };
    let usual = format!("{USUAL}/**");
    let mut parts = text.split(&usual);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (pattern, rest) = part.split_at(part.find([',', ']']).unwrap_or_default());
        // A pattern may begin with an asterisk, which is a sign of YAML.
        format!("{text}\"{start}**{pattern}\"{rest}")
    })
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    fn all() -> impl Iterator<Item = (Forge, &'static str, &'static str)> {
        let files = |forge| pipeline(forge).map(move |(path, text)| (forge, path, text));
        [Forge::GitHub, Forge::GitLab].into_iter().flat_map(files)
    }

    /// Lists the texts that begin with a contact directory's name in the filters of a pipeline.
    fn filters(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Mapping(map) => {
                for (name, value) in map {
                    match (name.as_str(), value) {
                        (Some("paths" | "changes"), Value::Sequence(paths)) => {
                            found.extend(paths.iter().map(|path| path.as_str().unwrap().to_owned()));
                        }
                        _ => filters(value, found),
                    }
                }
            }
            Value::Sequence(values) => values.iter().for_each(|value| filters(value, found)),
            _ => {}
        }
    }

    #[test]
    fn a_pipeline_of_the_usual_directory_is_the_example() {
        for (forge, path, text) in all() {
            let parsed = |text: &str| serde_yaml::from_str::<Value>(text).unwrap();
            let written = of_directory(forge, text, USUAL);
            assert_eq!(parsed(&written), parsed(text), "{path}");
            for named in written.match_indices("README.md").map(|(at, _)| &written[..at]) {
                assert!(
                    named.ends_with("examples/github-actions/") || named.ends_with("examples/gitlab-ci/"),
                    "{path}"
                );
            }
        }
    }

    #[test]
    fn a_pipeline_of_another_directory_looks_there_and_nowhere_else() {
        for (forge, path, text) in all() {
            for (contacts, named, below) in [("team/people", "team/people", "team/people/**"), ("", ".", "**")] {
                let pipeline: Value = serde_yaml::from_str(&of_directory(forge, text, contacts)).unwrap();
                let dir = match forge {
                    Forge::GitHub => &pipeline["env"]["CONTACTSD_DIR"],
                    Forge::GitLab => &pipeline["include"][0]["inputs"]["dir"],
                };
                assert_eq!(dir.as_str(), Some(named), "{path}");
                let (mut usual, mut found) = (Vec::new(), Vec::new());
                filters(&serde_yaml::from_str(text).unwrap(), &mut usual);
                filters(&pipeline, &mut found);
                assert_eq!(found.len(), usual.len());
                assert!(found.iter().all(|path| path.starts_with(below) || path == "contactsd.toml"), "{found:?}");
                assert!(path.contains("drift") || !found.is_empty(), "{path}");
            }
        }
    }

    #[test]
    fn whatever_way_the_state_is_passed_over_is_known() {
        for line in [".contactsd/", ".contactsd", "/.contactsd/", "/.contactsd", ".contactsd/  ", ".contactsd/\r"] {
            assert!(ignores(line), "{line:?}");
        }
        for line in ["#.contactsd/", "!.contactsd/", ".contactsd/x", "contactsd/", ""] {
            assert!(!ignores(line), "{line:?}");
        }
    }
}
