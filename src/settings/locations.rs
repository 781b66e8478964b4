//! Where contactsd keeps what it keeps.

use std::path::{Component, Path, PathBuf};

use crate::private_dir::HOME;
use crate::state::Location;

/// The places that belong to one contact directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// The contact files, as the user named the directory.
    pub contacts: PathBuf,
    pub state: Location,
    /// What the sandbox keeps for this directory.
    pub sandbox_data: PathBuf,
    /// The contact directory as a state at its default place records it; `None` where the state is elsewhere.
    pub own_dir: Option<OwnDir>,
}

/// A contact directory, and what is said of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnDir {
    /// Relative to the working directory where it is in there, and otherwise as it was named.
    pub path: PathBuf,
    /// Whether a person named the place of the state, though it is the default one.
    pub names_state: bool,
}

impl Locations {
    /// Derives the places from the directory's name. Two directories may have one name, so their state tells whose
    /// it is.
    ///
    /// The sandbox has a state of its own, so that trying things out never mixes with the real thing.
    pub fn new(contacts: &Path, state: Option<&Path>, sandbox: bool, working_directory: &Path) -> Self {
        let home = Path::new(HOME).join(name(contacts, working_directory));
        let own = if sandbox { home.join("sandbox/state") } else { home.join("state") };
        let named = state.map(|named| resolved(named, working_directory));
        let absolute = |path: &Path| cleaned(&working_directory.join(path));
        let is_own = named.as_ref().is_none_or(|named| absolute(named) == absolute(&own));
        let path = recorded(contacts, working_directory);
        let own_dir = is_own.then(|| OwnDir { path, names_state: named.is_some() });
        Self {
            contacts: contacts.to_owned(),
            state: named.unwrap_or(own).into(),
            own_dir,
            sandbox_data: home.join("sandbox/data"),
        }
    }

    /// Says that the state is in a database, whose name tells whose it is.
    #[must_use]
    pub fn with_database(self, state: Location) -> Self {
        Self { state, own_dir: None, ..self }
    }
}

/// Returns where the processes of this machine that use a state of a database meet: `url`, which shows no password, is
/// the address of the state and `name` its name.
pub fn meeting_place(url: &str, name: &str) -> PathBuf {
    // Two databases may have states of one name, and a contact directory may be called "shared".
    let hash = blake3::hash(url.as_bytes()).to_hex();
    Path::new(HOME).join("shared").join(format!("{name}-{}", &hash[..8]))
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

/// Returns a directory as it is recorded: whatever way it is spelled in the working directory, in one way.
fn recorded(contacts: &Path, working_directory: &Path) -> PathBuf {
    let absolute = cleaned(&working_directory.join(contacts));
    match absolute.strip_prefix(cleaned(working_directory)) {
        Ok(inside) if inside.as_os_str().is_empty() => PathBuf::from("."),
        Ok(inside) => inside.to_owned(),
        Err(_) => cleaned(contacts),
    }
}

/// Takes `.` and `..` out of a path, without a look at what is there.
fn cleaned(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(cleaned.components().next_back(), Some(Component::Normal(_))) => {
                cleaned.pop();
            }
            Component::ParentDir if cleaned.has_root() => {}
            part => cleaned.push(part),
        }
    }
    cleaned
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
        locations.state.to_string()
    }

    #[test]
    fn each_directory_has_a_state_of_its_own_name() {
        assert_eq!(state("contacts.d", false), ".contactsd/contacts.d/state");
        assert_eq!(state("/srv/people/", false), ".contactsd/people/state");
        assert_eq!(state(".", false), ".contactsd/here/state");
        assert_eq!(state("contacts.d", true), ".contactsd/contacts.d/sandbox/state");
    }

    #[test]
    fn a_directory_is_recorded_in_one_way_however_it_is_spelled() {
        let here = Path::new("/srv/work");
        let record = |contacts: &str| recorded(Path::new(contacts), here).display().to_string();
        for spelled in
            ["team-a/contacts.d", "./team-a/./contacts.d/", "x/../team-a/contacts.d", "../work/team-a/contacts.d"]
        {
            assert_eq!(record(spelled), "team-a/contacts.d");
        }
        assert_eq!(record("/srv/work/team-a/contacts.d"), "team-a/contacts.d");
        assert_eq!((record("."), record("/srv/work/")), (".".to_owned(), ".".to_owned()));
        assert_eq!((record("../people"), record("/srv/people/")), ("../people".to_owned(), "/srv/people".to_owned()));
    }

    #[test]
    fn only_a_state_at_its_default_place_belongs_to_the_directory() {
        let here = Path::new("/srv/work");
        let own =
            |state: Option<&str>| Locations::new(Path::new("a/contacts.d"), state.map(Path::new), false, here).own_dir;
        let path = PathBuf::from("a/contacts.d");
        assert_eq!(own(None), Some(OwnDir { path: path.clone(), names_state: false }));
        assert_eq!(own(Some("./.contactsd/contacts.d/state")), Some(OwnDir { path: path.clone(), names_state: true }));
        assert_eq!(own(Some("/srv/work/.contactsd/contacts.d/state")), Some(OwnDir { path, names_state: true }));
        assert_eq!(own(Some("/var/lib/contactsd")), None);
    }

    #[test]
    fn a_state_that_was_named_is_taken() {
        let given = Locations::new(Path::new("contacts.d"), Some(Path::new("/var/lib/x")), true, Path::new("/"));
        assert_eq!(given.state, Path::new("/var/lib/x").into());
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
