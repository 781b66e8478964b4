//! The password of a database, where its URL holds none: as libpq and all its tools find it.
//!
//! Source: PostgreSQL's manual, "Environment Variables" and "The Password File". Never shows a password.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::Environment;

/// Why a password file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("cannot read the password file {} that PGPASSFILE names: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("others may read the password file {0}, so it is not used: run chmod 600 {0}", path.display())]
    Open { path: PathBuf },
}

/// Names the file that may hold the password of a database.
pub(super) fn password_file(environment: &Environment) -> Option<PathBuf> {
    let usual = || environment.get("HOME").map(|home| Path::new(home).join(".pgpass"));
    environment.get("PGPASSFILE").map(PathBuf::from).or_else(usual)
}

/// Finds the password for a database URL: in PGPASSWORD, or in the password file (PGPASSFILE, else ~/.pgpass).
pub fn database_password(environment: &Environment, url: &str) -> Result<Option<SecretString>, PasswordError> {
    if let Some(password) = environment.get("PGPASSWORD") {
        return Ok(Some(password.into()));
    }
    let is_named = environment.get("PGPASSFILE").is_some();
    let Some(path) = password_file(environment) else { return Ok(None) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) if is_named => return Err(PasswordError::Unreadable { path, source }),
        Err(_) => return Ok(None),
    };
    let found = wanted(url, environment).and_then(|wanted| find(&text, &wanted));
    let others_may_read = fs::metadata(&path).is_ok_and(|file| file.mode() & 0o077 != 0);
    if found.is_some() && others_may_read {
        Err(PasswordError::Open { path })
    } else {
        Ok(found.map(SecretString::from))
    }
}

/// Lists what a line of the file has to be for: host, port, database, user.
fn wanted(url: &str, environment: &Environment) -> Option<[String; 4]> {
    let url = url::Url::parse(url).ok()?;
    let decoded = |text: &str| percent_decoded(text);
    let user = Some(url.username()).filter(|user| !user.is_empty()).map_or(environment.user.clone(), decoded);
    let host = decoded(url.host_str().unwrap_or("localhost"));
    // As libpq has it, a socket counts as this machine.
    let host = if host.starts_with('/') { "localhost".to_owned() } else { host };
    let database = Some(url.path().trim_start_matches('/')).filter(|name| !name.is_empty()).map(decoded);
    Some([host, url.port().unwrap_or(5432).to_string(), database.unwrap_or_else(|| user.clone()), user])
}

fn percent_decoded(text: &str) -> String {
    // Form encoding knows the plus sign, which stands for itself here.
    let text = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Returns the password of the first line that is for what is wanted.
fn find(text: &str, wanted: &[String; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [names @ .., password] = &fields[..] else { return None };
        let is_for =
            names.len() == wanted.len() && names.iter().zip(wanted).all(|(name, it)| name == "*" || name == it);
        is_for.then(|| password.clone())
    })
}

/// Takes a line apart at its colons; a backslash keeps the sign behind it.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut signs) = (vec![String::new()], line.chars());
    while let Some(sign) = signs.next() {
        let last = fields.last_mut().expect("there is one at least");
        match sign {
            '\\' => last.extend(signs.next()),
            ':' => fields.push(String::new()),
            sign => last.push(sign),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    fn password(file: &str, mode: u32, url: &str) -> Result<Option<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        fs::write(&path, file).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let environment = Environment::of(&[("PGPASSFILE", path.to_str().unwrap())]);
        let found = database_password(&environment, url).map_err(|error| error.to_string())?;
        Ok(found.map(|found| found.expose_secret().to_owned()))
    }

    #[test]
    fn the_first_line_for_the_database_has_the_password() {
        let file = "# crm\ndb.example.com:5432:crm:other:no\ndb.example.com:*:crm:sales:a\\:b\\\\c\n*:*:*:*:any\n";
        assert_eq!(password(file, 0o600, "postgres://sales@db.example.com/crm?state=a"), Ok(Some(r"a:b\c".to_owned())));
        assert_eq!(password(file, 0o600, "postgres://sales@db.example.com/hr?state=a"), Ok(Some("any".to_owned())));
        assert_eq!(password("h:1:d:u:p", 0o600, "postgres://u@h:2/d?state=a"), Ok(None));
        assert_eq!(password("localhost:5432:d:u:p", 0o600, "postgres://u@%2Frun/d?state=a"), Ok(Some("p".to_owned())));
    }

    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        let refused = password("*:*:*:*:secret", 0o644, "postgres://u@h/d?state=a").unwrap_err();
        assert!(refused.contains("chmod 600") && !refused.contains("secret"), "{refused}");
        assert_eq!(password("else:1:d:u:p", 0o644, "postgres://u@h/d?state=a"), Ok(None));
    }

    #[test]
    fn the_variable_comes_first() {
        let environment = Environment::of(&[("PGPASSWORD", "s"), ("PGPASSFILE", "/nowhere")]);
        let found = database_password(&environment, "postgres://u@h/d?state=a").unwrap().unwrap();
        assert_eq!(found.expose_secret(), "s");
        let missing = Environment::of(&[("PGPASSFILE", "/nowhere")]);
        assert!(database_password(&missing, "postgres://u@h/d?state=a").is_err());
        assert!(database_password(&Environment::default(), "postgres://u@h/d?state=a").unwrap().is_none());
    }
}
