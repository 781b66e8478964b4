//! The git repository around a directory, and the forge that it is pushed to, as far as its settings name one.
//!
//! Never runs git: a checkout may hold settings of git that run programs. Of the remotes only the hosts are taken, and no
//! link out of the git directory is followed.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use url::Url;

use super::checkout::top_level;
use crate::beneath::{Bounds, Root};
use crate::git_dir::{common_dir, git_dir};

/// More than the settings of any repository take.
const MOST_BYTES: u64 = 1024 * 1024;

/// Where repositories are kept that run pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    GitHub,
    GitLab,
}

impl Forge {
    /// Recognizes the forge of a host by the parts of its name: `github.com`, `gitlab.example.com`.
    fn of_host(host: &str) -> Option<Self> {
        host.split('.').find_map(|part| match part {
            "github" => Some(Self::GitHub),
            "gitlab" => Some(Self::GitLab),
            _ => None,
        })
    }
}

/// A repository as seen from a directory in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The way from the directory to the top level: `../..`; empty at the top level itself.
    pub top: PathBuf,
    /// The forge that it is pushed to, with the name of the host.
    pub forge: Option<(Forge, String)>,
}

impl Repository {
    /// Finds the repository around the working directory.
    ///
    /// One that somebody else has put around a directory of ours is none, as it is none to git.
    pub fn around(directory: &Path) -> Option<Self> {
        let real = fs::canonicalize(directory).ok()?;
        let root = top_level(&real)?;
        let owner = |path: &Path| path.symlink_metadata().ok().map(|metadata| metadata.uid());
        let user = rustix::process::geteuid().as_raw();
        let whose = owner(&root.join(".git"))?;
        if whose != user && Some(whose) != owner(&real) {
            return None;
        }
        let depth = real.strip_prefix(&root).ok()?.iter().count();
        let top = std::iter::repeat_n("..", depth).collect();
        let settings = git_dir(&root).and_then(|git_dir| settings(&common_dir(&git_dir)));
        Some(Self { top, forge: settings.and_then(|settings| forge(&settings)) })
    }
}

/// Reads the settings of a repository; what cannot be read says nothing.
fn settings(git_dir: &Path) -> Option<String> {
    let file = Root::open(git_dir, &Bounds::default()).ok()?.file(Path::new("config")).ok()?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Finds the forge of `origin`, else of the first remote that has one.
fn forge(settings: &str) -> Option<(Forge, String)> {
    let hosts = remotes(settings).into_iter().filter_map(|(name, url)| Some((name, host(&url)?)));
    let mut forges: Vec<_> = hosts.filter_map(|(name, host)| Some((name, Forge::of_host(&host)?, host))).collect();
    forges.sort_by_key(|(name, ..)| name != "origin");
    forges.into_iter().next().map(|(_, forge, host)| (forge, host))
}

/// Lists the remotes with their addresses, in the order of the file.
fn remotes(settings: &str) -> Vec<(String, String)> {
    let mut remotes = Vec::new();
    let mut remote: Option<String> = None;
    for line in settings.lines() {
        let mut line = line.trim();
        if let Some((section, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            let kind = section.get(..6).filter(|kind| kind.eq_ignore_ascii_case("remote"));
            let name = kind.map(|_| &section[6..]).filter(|name| name.starts_with([' ', '\t', '"', '.']));
            remote = name.map(|name| name.trim_matches([' ', '\t', '"', '.']).to_owned());
            line = rest.trim();
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        if let Some(remote) = remote.as_ref().filter(|_| name.trim().eq_ignore_ascii_case("url")) {
            // No address of a host holds a quote, or the sign of a comment behind a blank.
            let value = value.split([' ', '\t']).find(|word| !word.is_empty()).unwrap_or_default();
            remotes.push((remote.clone(), value.replace('"', "")));
        }
    }
    remotes
}

/// Returns the host of an address: a URL, or `git@host:path` as git takes it too.
fn host(address: &str) -> Option<String> {
    if address.contains("://") {
        return Url::parse(address).ok()?.host_str().map(str::to_ascii_lowercase);
    }
    let (before, _) = address.split_once(':').filter(|(before, _)| !before.contains('/'))?;
    let host = before.rsplit('@').next().unwrap_or(before);
    Some(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::symlink;

    use super::*;

    fn found(settings: &str) -> Option<(Forge, String)> {
        forge(settings)
    }

    #[test]
    fn the_forge_is_that_of_the_host_of_origin_else_of_another_remote() {
        let one = |url: &str| found(&format!("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n"));
        for (url, forge, host) in [
            ("https://github.com/example/contacts.git", Forge::GitHub, "github.com"),
            ("git@github.com:example/contacts.git", Forge::GitHub, "github.com"),
            ("ssh://git@ssh.github.com:443/example/contacts.git", Forge::GitHub, "ssh.github.com"),
            ("https://ada:secret@gitlab.com/example/contacts", Forge::GitLab, "gitlab.com"),
            ("git@GitLab.example.com:group/sub/contacts.git", Forge::GitLab, "gitlab.example.com"),
            ("\"https://github.example.com/x\"  # ours", Forge::GitHub, "github.example.com"),
        ] {
            assert_eq!(one(url), Some((forge, host.to_owned())), "{url}");
        }
        for none in
            ["/srv/github/contacts", "../gitlab:x", "https://example.com/github/gitlab", "", "git@codeberg.org:x/y"]
        {
            assert_eq!(one(none), None, "{none}");
        }
        let several = "[remote \"mirror\"]\nurl = git@gitlab.com:a/b\n[Remote \"origin\"] URL=git@github.com:a/b\n";
        assert_eq!(found(several).unwrap().0, Forge::GitHub);
        let mirror = "[remote \"origin\"]\nurl=/srv/x\n[remote \"mirror\"]\nurl = git@gitlab.com:a/b\n";
        assert_eq!(found(mirror).unwrap().0, Forge::GitLab);
        let elsewhere =
            "[branch \"origin\"]\n url = git@github.com:a/b\n[url \"git@gitlab.com:\"]\n url = https://gitlab.com/\n";
        assert_eq!(found(elsewhere), None, "no remote");
    }

    #[test]
    fn the_way_to_the_top_level_and_the_settings_of_a_linked_working_tree_are_found() {
        let place = tempfile::tempdir().unwrap();
        let main = place.path().join("main");
        fs::create_dir_all(main.join("team/people")).unwrap();
        fs::create_dir_all(main.join(".git/worktrees/other")).unwrap();
        fs::write(main.join(".git/config"), "[remote \"origin\"]\n\turl = git@github.com:a/b\n").unwrap();
        let of = |below: &str| Repository::around(&place.path().join(below)).unwrap();
        let github = Some((Forge::GitHub, "github.com".to_owned()));
        assert_eq!(of("main"), Repository { top: PathBuf::new(), forge: github.clone() });
        assert_eq!(of("main/team/people"), Repository { top: "../..".into(), forge: github.clone() });
        fs::create_dir(place.path().join("other")).unwrap();
        fs::write(place.path().join("other/.git"), "gitdir: ../main/.git/worktrees/other\n").unwrap();
        fs::write(main.join(".git/worktrees/other/commondir"), "../..\n").unwrap();
        assert_eq!(of("other"), Repository { top: PathBuf::new(), forge: github });
    }

    #[test]
    fn what_somebody_else_put_around_a_directory_is_no_repository_of_ours() {
        if !rustix::process::geteuid().is_root() {
            let line = "SKIPPED: a repository of another user: only root can make one\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let (git, ours) = (place.path().join(".git"), place.path().join("ours"));
        fs::create_dir(&git).unwrap();
        fs::create_dir(&ours).unwrap();
        assert!(Repository::around(&ours).is_some());
        std::os::unix::fs::chown(&git, Some(12345), None).unwrap();
        assert_eq!(Repository::around(&ours), None);
        // A checkout of another user, in which root works.
        std::os::unix::fs::chown(&ours, Some(12345), None).unwrap();
        assert!(Repository::around(&ours).is_some());
    }

    #[test]
    fn no_link_out_of_the_git_directory_is_followed_and_no_pipe_is_waited_for() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join(".git")).unwrap();
        fs::write(place.path().join("settings"), "[remote \"origin\"]\n\turl = git@github.com:a/b\n").unwrap();
        let config = place.path().join(".git/config");
        symlink("../settings", &config).unwrap();
        assert_eq!(Repository::around(place.path()).unwrap().forge, None);
        fs::remove_file(&config).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &config, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(Repository::around(place.path()).unwrap().forge, None);
    }
}
