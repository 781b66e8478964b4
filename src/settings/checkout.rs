//! The repository that contact files are in: programs beside us name files as seen from its root.
//!
//! Never runs git and reads no file; it only looks where a repository begins.

use std::path::{Component, Path, PathBuf};

use super::Environment;

/// Where files are named from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The working directory, which paths are relative to.
    directory: PathBuf,
    root: PathBuf,
}

impl Checkout {
    /// Finds the root of the repository that `contacts` is in: `GITHUB_WORKSPACE`, else the top level of the git
    /// repository around the working directory, else of the one around `contacts`, else the working directory.
    ///
    /// A root counts only when `contacts` lies in it.
    pub fn around(contacts: &Path, environment: &Environment) -> Self {
        let directory = environment.directory.clone();
        let contacts = real(&lexical(&directory.join(contacts)));
        let workspace = environment.get("GITHUB_WORKSPACE").map(PathBuf::from).filter(|named| named.is_absolute());
        let candidates = [workspace, top_level(&directory), top_level(&contacts)];
        let root = candidates.into_iter().flatten().map(|root| real(&root)).find(|root| contacts.starts_with(root));
        Self { root: root.unwrap_or_else(|| directory.clone()), directory }
    }

    /// A repository at `root`, which is the working directory.
    #[cfg(test)]
    pub fn at(root: &str) -> Self {
        Self { directory: root.into(), root: root.into() }
    }

    /// Names `path` as seen from the root; one that is not in it stays as it was named.
    pub fn name(&self, path: &Path) -> PathBuf {
        let absolute = self.directory.join(path);
        // A link keeps its own name: that is what stands in the repository.
        let linked = absolute.parent().zip(absolute.file_name()).map(|(above, name)| real(above).join(name));
        let mut found = linked.into_iter().chain([lexical(&absolute)]);
        let below = found.find_map(|path| path.strip_prefix(&self.root).map(Path::to_owned).ok());
        below.unwrap_or_else(|| path.components().filter(|part| *part != Component::CurDir).collect())
    }
}

/// Finds the directory above `path`, or `path` itself, that has a `.git` in it, which is a file in a linked working tree.
pub(super) fn top_level(path: &Path) -> Option<PathBuf> {
    real(path).ancestors().find(|above| above.join(".git").symlink_metadata().is_ok()).map(Path::to_owned)
}

/// Resolves links; what does not exist stays as it is.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Takes `.` and `..` out of an absolute path without a look at the disk.
fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A repository `repo` with `repo/team/contacts.d`, and nothing around it.
    fn repository(git: bool) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let repo = directory.path().canonicalize().unwrap().join("repo");
        fs::create_dir_all(repo.join("team/contacts.d/sub")).unwrap();
        if git {
            fs::write(repo.join(".git"), "gitdir: elsewhere\n").unwrap();
        }
        (directory, repo)
    }

    #[track_caller]
    fn check(directory: &Path, workspace: &str, contacts: &str, expected: &str) {
        let mut environment = Environment::of(&[("GITHUB_WORKSPACE", workspace)]);
        environment.directory = directory.into();
        let checkout = Checkout::around(Path::new(contacts), &environment);
        assert_eq!(checkout.name(&Path::new(contacts).join("sub/a.yaml")), Path::new(expected), "{contacts}");
    }

    #[test]
    fn files_are_named_from_the_root_of_the_repository_however_the_directory_is_named() {
        let (_directory, repo) = repository(true);
        let absolute = repo.join("team/contacts.d");
        let absolute = absolute.to_str().unwrap();
        let inside = "team/contacts.d/sub/a.yaml";
        for (from, contacts) in [
            ("", "team/contacts.d"),
            ("", "./team//contacts.d/"),
            ("team", "contacts.d"),
            ("team", "../team/contacts.d"),
            ("team/contacts.d", "."),
            ("team/contacts.d/sub", ".."),
            ("team", absolute),
        ] {
            check(&repo.join(from), "", contacts, inside);
        }
        check(Path::new("/"), "", absolute, inside);
    }

    #[test]
    fn the_workspace_of_a_runner_comes_first_where_it_holds_the_files() {
        let (_directory, repo) = repository(true);
        let (above, team) = (repo.parent().unwrap(), repo.join("team"));
        check(&team, above.to_str().unwrap(), "contacts.d", "repo/team/contacts.d/sub/a.yaml");
        check(&team, "/nowhere", "contacts.d", "team/contacts.d/sub/a.yaml");
        check(&team, "relative", "contacts.d", "team/contacts.d/sub/a.yaml");
        symlink(&repo, above.join("linked")).unwrap();
        check(&team, above.join("linked").to_str().unwrap(), "contacts.d", "team/contacts.d/sub/a.yaml");
        check(&above.join("linked/team"), "", "contacts.d", "team/contacts.d/sub/a.yaml");
    }

    #[test]
    fn without_a_repository_files_are_named_from_the_working_directory() {
        let (_directory, repo) = repository(false);
        if let Some(around) = top_level(&repo).or_else(|| top_level(Path::new("/"))) {
            let line = format!("SKIPPED: temporary files are in the repository {}\n", around.display());
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return;
        }
        let team = repo.join("team");
        check(&team, "", "contacts.d", "contacts.d/sub/a.yaml");
        check(&team, "", team.join("contacts.d").to_str().unwrap(), "contacts.d/sub/a.yaml");
        check(&team.join("contacts.d/sub"), "", "./..", "a.yaml");
        check(Path::new("/work/here"), "", "../there", "../there/sub/a.yaml");
        check(Path::new("/work/here"), "", "/work/hereafter", "/work/hereafter/sub/a.yaml");
    }

    #[test]
    fn a_link_keeps_its_own_name() {
        let (_directory, repo) = repository(true);
        fs::write(repo.join("real.yaml"), "").unwrap();
        symlink("../../../real.yaml", repo.join("team/contacts.d/sub/a.yaml")).unwrap();
        check(&repo, "", "team/contacts.d", "team/contacts.d/sub/a.yaml");
    }
}
