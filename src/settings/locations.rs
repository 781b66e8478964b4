//! Where contactsd keeps what it keeps.

use std::path::{Component, Path, PathBuf};

use crate::private_dir::HOME;

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
            state: state.map_or(own, |named| resolved(named, working_directory)),
            sandbox_data: home.join("sandbox/data"),
        }
    }
}

/// Returns the place that a person named, once and for all where links lead to it.
///
/// Who names a place may name a link; what keeps files there then follows none. From [`HOME`] on nothing is
/// resolved: those directories are contactsd's own, and a link among them came with a checkout.
pub fn resolved(named: &Path, working_directory: &Path) -> PathBuf {
    let parts: Vec<Component<'_>> = named.components().collect();
    let own = parts.iter().position(|part| part.as_os_str() == HOME).unwrap_or(parts.len());
    let place = working_directory.join(parts[..own].iter().collect::<PathBuf>());
    let is_linked = if named.is_absolute() {
        // The system resolves what is above its last name.
        own == parts.len() && place.is_symlink()
    } else {
        place.ancestors().take_while(|above| *above != working_directory).any(Path::is_symlink)
    };
    if !is_linked {
        return named.to_owned();
    }
    let found = place.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let (above, real) = found.unwrap_or((&place, place.clone()));
    let missing = place.strip_prefix(above).unwrap_or(Path::new(""));
    // Joining nothing would leave a slash at the end.
    real.components().chain(missing.components()).chain(parts[own..].iter().copied()).collect()
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

    #[test]
    fn a_link_that_was_named_is_resolved_but_none_of_our_own() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(here.join("real/kept")).unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, here.join(name)).unwrap();
        link("real", "linked");
        link("nowhere", "dangling");
        link("real", HOME);
        let resolved = |named: &str| super::resolved(Path::new(named), &here);
        for named in ["kept", "real/kept", "real/new", "../elsewhere", ".contactsd/x/state", "dangling/.contactsd/x"] {
            let expected = if named.starts_with("dangling") { here.join(named) } else { named.into() };
            assert_eq!(resolved(named), expected);
        }
        assert_eq!(resolved("linked"), here.join("real"));
        assert_eq!(resolved("linked/kept"), here.join("real/kept"));
        assert_eq!(resolved("linked/new/state"), here.join("real/new/state"));
        assert_eq!(resolved("linked/.contactsd/x"), here.join("real/.contactsd/x"));
        let absolute = here.join("linked");
        assert_eq!(super::resolved(&absolute, &here), here.join("real"));
        assert_eq!(super::resolved(&absolute.join("kept"), &here), absolute.join("kept"));
        assert_eq!(resolved("dangling"), here.join("dangling"), "whoever opens it refuses it");
    }
}
