//! Who the credential acts as: of that, only the team counts here.

use super::complaint;
use super::error::Misread;
use super::excerpt::excerpt;

/// The user that the credential acts as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The team whose contacts the credential reaches; `None` when the answer does not say.
    ///
    /// In lower case where it is an id of 24 hexadecimal digits, so that it compares whatever the spelling.
    pub team_id: Option<String>,
    /// The user, by e-mail or by name, as a person knows whom it is.
    pub user: Option<String>,
}

/// Most characters that an id may have.
const MAX_ID: usize = 128;

impl Profile {
    pub(super) fn read(text: &str) -> Result<Self, Misread> {
        let answer = Misread::or_object(text)?;
        if let Some(complaint) = complaint::of(&answer) {
            return Err(Misread::Refused(complaint));
        }
        let text = |name| answer.text(name).or_else(|| answer.object("user")?.text(name));
        let team_id = text("team_id").map(|id| id.trim().to_ascii_lowercase());
        let user = [text("email"), text("name")].into_iter().flatten().find(|text| !text.trim().is_empty());
        let is_id =
            |id: &String| !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
        Ok(Self { team_id: team_id.filter(is_id), user: user.map(|user| excerpt(&user)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team(text: &str) -> Option<String> {
        Profile::read(text).unwrap().team_id
    }

    #[test]
    fn the_team_is_read_where_it_is_shown() {
        let user = |text: &str| Profile::read(text).unwrap().user;
        assert_eq!(user(r#"{"name": "Ada", "email": "ada@example.com"}"#).as_deref(), Some("ada@example.com"));
        assert_eq!(user(r#"{"user": {"name": "Ada", "email": " "}}"#).as_deref(), Some("Ada"));
        let id = Some("66e34b81740c50074e3d1f0a".to_owned());
        assert_eq!(team(r#"{"id": "1", "team_id": "66e34b81740c50074e3d1f0a"}"#), id);
        assert_eq!(team(r#"{"user": {"team_id": "66E34B81740C50074E3D1F0A"}}"#), id);
        for text in ["{}", r#"{"team_id": null}"#, r#"{"team_id": " "}"#, r#"{"team_id": {"id": "1"}}"#] {
            assert_eq!(team(text), None, "{text}");
        }
    }

    #[test]
    fn an_error_is_no_profile() {
        assert!(matches!(Profile::read(r#"{"error": "no"}"#), Err(Misread::Refused(_))));
        assert!(matches!(Profile::read("[]"), Err(Misread::Lacks(_))));
    }
}
