//! Names of choices, as options, counts and bodies write them: each variant's own.

use std::fmt::Display;

use serde::de::{DeserializeOwned, Error, IntoDeserializer};

/// A text that names none of the choices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} cannot be chosen: write one of {}", choices.join(", "))]
pub struct UnknownChoice {
    given: String,
    choices: &'static [&'static str],
}

impl Error for UnknownChoice {
    fn custom<T: Display>(text: T) -> Self {
        Self { given: text.to_string(), choices: &[] }
    }

    fn unknown_variant(given: &str, choices: &'static [&'static str]) -> Self {
        Self { given: given.to_owned(), choices }
    }
}

/// Reads the name of a choice.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, UnknownChoice> {
    T::deserialize(IntoDeserializer::<UnknownChoice>::into_deserializer(text))
}

/// Lists the names of all choices.
pub(super) fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    read::<T>("").err().map_or(&[], |unknown| unknown.choices)
}
