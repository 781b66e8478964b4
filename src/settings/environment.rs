//! What the environment says, read once at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The prefix of every variable of ours.
const PREFIX: &str = "CONTACTSD_";

/// Variables that CI runners set; most set `CI`, these do not all.
const RUNNERS: [&str; 6] =
    ["CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION", "JENKINS_URL", "CODEBUILD_BUILD_ID"];

/// The variables of this process that matter, and facts about where it runs.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Names of variables whose values are not Unicode.
    not_text: BTreeSet<String>,
    /// The directory it was started in.
    pub directory: PathBuf,
    pub user: String,
    pub host: String,
}

impl std::fmt::Debug for Environment {
    /// Leaves the values out: credentials are among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Environment {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "this is the home of environment reads")]
    pub fn of_process() -> Self {
        let read = Self::read(std::env::vars_os());
        let user = ["USER", "LOGNAME"].iter().find_map(|name| read.variables.get(*name)).cloned();
        Self {
            user: user.unwrap_or_else(|| rustix::process::getuid().as_raw().to_string()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            directory: std::env::current_dir().unwrap_or_default(),
            ..read
        }
    }

    /// Takes variables as the system has them. Those that are not Unicode have no value; their names are kept.
    fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut read = Self::default();
        for (name, value) in variables {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(read.variables.insert(name, value)),
                (Ok(name), Err(_)) => drop(read.not_text.insert(name)),
                (Err(_), _) => {}
            }
        }
        read
    }

    /// Makes an environment of the given variables, for tests.
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { variables, ..Self::default() }
    }

    /// Returns a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Names the directory for sockets of this user: `XDG_RUNTIME_DIR`, else one in the directory for temporary files.
    pub fn runtime_directory(&self) -> PathBuf {
        let given = self.get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        let user = rustix::process::geteuid().as_raw();
        given.unwrap_or_else(|| Path::new(self.get("TMPDIR").unwrap_or("/tmp")).join(format!("contactsd-{user}")))
    }

    /// Reports whether people are not reading along, so that hints for the next step and bars are noise.
    ///
    /// Decides nothing else: what is asked, and what is done, never depends on it.
    pub fn in_automation(&self) -> bool {
        self.get("CONTACTSD_IN_AUTOMATION").is_some() || RUNNERS.iter().any(|name| self.get(name).is_some_and(is_on))
    }

    /// Lists variables with our prefix that mean nothing, for each the name.
    pub fn unknown<'a>(&'a self, is_known: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a str> {
        let names = self.variables.keys().chain(&self.not_text).map(String::as_str);
        names.filter(move |name| name.starts_with(PREFIX) && !is_known(name))
    }

    /// Reports whether a variable is set to what is not Unicode, so that nobody can know what was meant.
    pub fn is_not_text(&self, name: &str) -> bool {
        self.not_text.contains(name)
    }

    /// Lists the variables with our prefix that are set to what is not Unicode.
    pub fn not_text(&self) -> impl Iterator<Item = &str> {
        self.not_text.iter().map(String::as_str).filter(|name| name.starts_with(PREFIX))
    }
}

/// Reports whether a variable says yes; people turn `CI` off by `false`.
fn is_on(value: &str) -> bool {
    value != "0" && !value.eq_ignore_ascii_case("false")
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn what_is_not_unicode_is_told_from_what_is_not_set() {
        let bytes = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let variables: [(&[u8], &[u8]); 4] =
            [(b"CONTACTSD_DIR", b"a\xff"), (b"APOLLO_API_KEY", b"\xfe"), (b"CONTACTSD_X\xff", b"a"), (b"CI", b"1")];
        let environment = Environment::read(variables.map(|(name, value)| (bytes(name), bytes(value))));
        assert_eq!(environment.not_text().collect::<Vec<_>>(), ["CONTACTSD_DIR"]);
        assert!(environment.is_not_text("APOLLO_API_KEY") && !environment.is_not_text("CI"));
        assert_eq!((environment.get("CONTACTSD_DIR"), environment.get("CI")), (None, Some("1")));
        assert_eq!(environment.unknown(|_| false).collect::<Vec<_>>(), ["CONTACTSD_DIR"]);
    }

    #[test]
    fn runners_and_who_says_so_are_automation() {
        let in_automation = |name: &str, value: &str| Environment::of(&[(name, value)]).in_automation();
        for runner in RUNNERS {
            assert!(in_automation(runner, "true"), "{runner}");
        }
        assert!(in_automation("TEAMCITY_VERSION", "2026.1"));
        assert!(in_automation("CONTACTSD_IN_AUTOMATION", "0"), "any value that is not empty, as in Terraform");
        assert!(!in_automation("CONTACTSD_IN_AUTOMATION", ""));
        assert!(!in_automation("CI", "false") && !in_automation("CI", "0") && !in_automation("CI", ""));
        assert!(!Environment::default().in_automation());
    }
}
