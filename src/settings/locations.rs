//! Where contactsd keeps what it keeps.

use std::path::{Path, PathBuf};

use super::home::HOME;

/// The places that belong to one contact directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// The contact files, as the user named the directory.
    pub contacts: PathBuf,
    pub state: PathBuf,
    /// What the sandbox keeps for this directory.
    pub sandbox_data: PathBuf,
}

impl Locations {
    /// Derives the places from the directory's name, so that two directories never share a state by accident.
    ///
    /// The sandbox has a state of its own, so that trying things out never mixes with the real thing.
    pub fn new(contacts: &Path, state: Option<&Path>, sandbox: bool, working_directory: &Path) -> Self {
        let home = Path::new(HOME).join(name(contacts, working_directory));
        let own = if sandbox { home.join("sandbox/state") } else { home.join("state") };
        Self {
            contacts: contacts.to_owned(),
            state: state.map_or(own, Path::to_owned),
            sandbox_data: home.join("sandbox/data"),
        }
    }
}

/// Reports whether a path is below the directory that we make in the working directory.
pub fn is_at_home(path: &Path) -> bool {
    path.starts_with(HOME)
}

/// Returns the last name of a path; of `.` and `..`, that of the directory they stand for.
fn name(contacts: &Path, working_directory: &Path) -> PathBuf {
    let absolute = working_directory.join(contacts);
    let real = absolute.canonicalize();
    let typed = contacts.file_name().map(PathBuf::from);
    typed.or_else(|| real.ok()?.file_name().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("root"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(contacts: &str, sandbox: bool) -> String {
        let directory = tempfile::tempdir().unwrap();
        let working_directory = directory.path().join("here");
        std::fs::create_dir(&working_directory).unwrap();
        let locations = Locations::new(Path::new(contacts), None, sandbox, &working_directory);
        locations.state.display().to_string()
    }

    #[test]
    fn each_directory_has_a_state_of_its_own_name() {
        assert_eq!(state("contacts.d", false), ".contactsd/contacts.d/state");
        assert_eq!(state("/srv/people/", false), ".contactsd/people/state");
        assert_eq!(state(".", false), ".contactsd/here/state");
        assert_eq!(state("contacts.d", true), ".contactsd/contacts.d/sandbox/state");
    }

    #[test]
    fn a_state_that_was_named_is_taken() {
        let given = Locations::new(Path::new("contacts.d"), Some(Path::new("/var/lib/x")), true, Path::new("/"));
        assert_eq!(given.state, Path::new("/var/lib/x"));
    }
}
