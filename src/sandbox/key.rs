//! The key of a sandbox's data: random, made with the data, in a file that its owner alone can read.
//!
//! Never shown, logged or answered; whoever may use the sandbox is told where the file is.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::Error;
use crate::private_dir::PrivateDir;

const NAME: &str = "key";

/// Random bytes in a key; it is written with two digits each.
const BYTES: usize = 32;

/// Permissions of anybody but the owner.
const OTHERS: u32 = 0o077;

/// Returns the file that the key of `data` is in.
pub fn key_file(data: &Path) -> PathBuf {
    data.join(NAME)
}

/// Reads the key of `data`, which a sandbox has made there.
pub fn read_key(data: &Path) -> Result<SecretString, Error> {
    let path = key_file(data);
    let failed = |source| Error::Key { path: path.clone(), source };
    let unfit = || io::Error::new(io::ErrorKind::InvalidData, "it is not as a sandbox has written it");
    let data = PrivateDir::open(data)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    read(&data).map_err(failed)?.ok_or_else(|| failed(unfit()))
}

/// Reads the key of `data`, or makes one where there is none that is fit. The directory must have one owner, this one.
pub(super) fn read_or_make(data: &PrivateDir) -> Result<SecretString, Error> {
    match read(data) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => data.remove(NAME).and_then(|_| make(data)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(data),
        Err(error) => Err(error),
    }
    .map_err(|source| Error::Key { path: key_file(data.path()), source })
}

/// Reads a key; `None` where it is no secret or no key: a file that others own or may read, a torn one.
fn read(data: &PrivateDir) -> io::Result<Option<SecretString>> {
    let file = data.open_file(NAME)?;
    let found = file.metadata()?;
    let is_ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & OTHERS == 0;
    let mut text = String::new();
    if !is_ours || file.take(BYTES as u64 * 4).read_to_string(&mut text).is_err() {
        return Ok(None);
    }
    let key = text.trim_end();
    let is_whole = key.len() == BYTES * 2 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(is_whole.then(|| SecretString::from(key)))
}

fn make(data: &PrivateDir) -> io::Result<SecretString> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let key: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    let mut file = data.create_new(NAME)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    Ok(SecretString::from(key))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    fn key(data: &Path) -> String {
        read_or_make(&PrivateDir::make(data).unwrap()).unwrap().expose_secret().to_owned()
    }

    #[test]
    fn a_key_is_made_once_and_its_owner_alone_can_read_it() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(matches!(read_key(one.path()), Err(Error::Key { .. })));
        let made = key(one.path());
        assert_eq!((key(one.path()), read_key(one.path()).unwrap().expose_secret()), (made.clone(), made.as_str()));
        assert_eq!(fs::metadata(key_file(one.path())).unwrap().mode() & 0o777, 0o600);
        assert_ne!(key(other.path()), made);
    }

    #[test]
    fn what_is_no_secret_is_replaced() {
        let unfit: [fn(&Path); 3] = [
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap(),
            |path| fs::write(path, "").unwrap(),
            |path| fs::write(path, "the key that came with the checkout").unwrap(),
        ];
        for spoil in unfit {
            let data = tempfile::tempdir().unwrap();
            let before = key(data.path());
            spoil(&key_file(data.path()));
            assert!(read_key(data.path()).is_err());
            let after = key(data.path());
            assert_ne!(after, before);
            assert_eq!(key(data.path()), after);
        }
    }
}
