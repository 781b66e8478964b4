//! The directories of one size and layout, and contactsd in them.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Contact files, a state, and where contactsd finds the API.
pub(crate) struct World {
    pub(crate) contacts: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) directory: PathBuf,
    api: SocketAddr,
}

impl World {
    pub(crate) fn new(directory: PathBuf, api: SocketAddr) -> Self {
        let (contacts, state) = (directory.join("contacts.d"), directory.join("state"));
        Self { contacts, state, directory, api }
    }

    /// contactsd with `arguments`, and nothing of this environment.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_contactsd")), self.state.as_os_str(), arguments)
    }

    /// The same with another state.
    pub(crate) fn command_on(&self, state: impl AsRef<OsStr>, arguments: &str) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_contactsd")), state, arguments)
    }

    /// The same of another contactsd.
    pub(crate) fn command_of(&self, program: &Path, state: impl AsRef<OsStr>, arguments: &str) -> Command {
        let mut command = Command::new(program);
        command.args(arguments.split_whitespace());
        command.arg("--dir").arg(&self.contacts).arg("--state").arg(state.as_ref());
        command.arg("--api-url").arg(format!("http://{}/api/v1", self.api));
        command.env_clear().env("APOLLO_API_KEY", "none-is-needed").env("HOME", &self.directory);
        command.current_dir(&self.directory);
        command
    }

    pub(crate) fn forget_state(&self) -> io::Result<()> {
        if self.state.exists() { fs::remove_dir_all(&self.state) } else { Ok(()) }
    }

    /// Removes the database of the state, and leaves its copy.
    pub(crate) fn lose_sled(&self) -> io::Result<()> {
        fs::remove_dir_all(self.state.join("sled"))
    }

    /// Removes the file index, which is a cache: the next plan reads every file.
    pub(crate) fn forget_index(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.state)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b"index") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Takes over the state of another layout: keys and fields are the same in each.
    pub(crate) fn copy_state_of(&self, other: &Self) -> io::Result<()> {
        self.forget_state()?;
        copy_tree(&other.state, &self.state)
    }

    /// Gives one contact of one file a new title.
    pub(crate) fn edit_one_file(&self, title: &str) -> io::Result<()> {
        let path = first_file(&self.contacts)?;
        let text = fs::read_to_string(&path)?;
        let start = text.find("    title: ").ok_or_else(|| io::Error::other("a contact without a title"))?;
        let end = start + text[start..].find('\n').unwrap_or(text.len() - start);
        fs::write(path, format!("{}    title: {title}{}", &text[..start], &text[end..]))
    }
}

fn first_file(directory: &Path) -> io::Result<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let first = paths.into_iter().next().ok_or_else(|| io::Error::other("a directory without files"))?;
    if first.is_dir() { first_file(&first) } else { Ok(first) }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
