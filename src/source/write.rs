//! Values as YAML for people. Never writes to disk.

use serde::Serialize;

/// Renders plain data as YAML, text so that every reader takes it letter for letter.
pub fn to_yaml(value: &impl Serialize) -> String {
    serde_yaml::to_string(value).expect("plain data with text as names is YAML")
}
