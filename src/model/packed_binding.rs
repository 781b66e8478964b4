//! Bindings at rest: each one text, in one piece of memory.
//!
//! A binding as it is worked with is some twenty texts, each a piece of memory of its own, and most of them twice: as
//! what was applied, and as what was answered to that. Those that only wait for their turn are kept like this.

use serde::{Deserialize, Serialize};

use super::{ApolloId, Binding, Fingerprint, Glance};

/// One binding at rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Binding", into = "Binding")]
pub struct PackedBinding {
    /// The binding as JSON, without what was answered as it was applied.
    text: Box<str>,
    /// A bit for each of the first applied fields: whether it was answered as it was applied.
    answered_so: u64,
}

impl From<Binding> for PackedBinding {
    fn from(mut binding: Binding) -> Self {
        let mut answered_so = 0;
        for (bit, (field, value)) in (0..u64::BITS).zip(binding.applied.iter()) {
            if binding.observed.get(field) == Some(value) {
                answered_so |= 1 << bit;
                binding.observed.remove(field);
            }
        }
        let text = serde_json::to_string(&binding).expect("texts and numbers are JSON").into();
        Self { text, answered_so }
    }
}

impl From<PackedBinding> for Binding {
    fn from(packed: PackedBinding) -> Self {
        packed.unpack()
    }
}

impl PackedBinding {
    /// Returns the binding as it was before it was packed.
    pub fn unpack(&self) -> Binding {
        let mut binding: Binding = self.read();
        for (bit, (field, value)) in (0..u64::BITS).zip(binding.applied.iter()) {
            if self.answered_so & 1 << bit != 0 {
                binding.observed.set(field.clone(), value.clone());
            }
        }
        binding
    }

    pub fn apollo_id(&self) -> ApolloId {
        #[derive(Deserialize)]
        struct Part {
            apollo_id: ApolloId,
        }
        let glance = Glance::at(self.text.as_bytes()).and_then(|glance| glance.apollo_id());
        glance.unwrap_or_else(|| self.read::<Part>().apollo_id)
    }

    /// As [`Binding::stands_as`].
    pub fn stands_as(&self, declared: Option<Fingerprint>) -> bool {
        match (Glance::at(self.text.as_bytes()), declared) {
            (_, None) => false,
            (Some(glance), Some(declared)) => glance.stands_as(declared),
            (None, declared) => self.read::<Binding>().stands_as(declared),
        }
    }

    fn read<'a, T: Deserialize<'a>>(&'a self) -> T {
        serde_json::from_str(&self.text).expect("it was written as it is read")
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::model::{CustomFieldId, Field, Fields, Timestamp, Value};

    fn binding(applied: Fields, observed: Fields) -> Binding {
        Binding {
            applied,
            observed,
            fingerprint: Some(Fingerprint::from_bytes([1; 16])),
            ..Binding::bare(ApolloId::parse("66f0c1aa99bb00112233ddee").unwrap())
        }
    }

    /// More fields than there are bits.
    fn many(text: impl Fn(usize) -> String) -> Fields {
        let custom = |number: usize| Field::Custom(CustomFieldId::parse(&format!("{number:024x}")).unwrap());
        (0..70).map(|number| (custom(number), Value::Text(text(number)))).collect()
    }

    #[test]
    fn a_binding_is_the_same_after_its_rest() {
        let lists = |names: &[&str]| Value::Lists(names.iter().map(|name| (*name).to_owned()).collect());
        let applied: Fields =
            [(Field::Title, "CTO".into()), (Field::Email, "".into()), (Field::LabelNames, lists(&["Leads"]))]
                .into_iter()
                .collect();
        let answered: Fields =
            [(Field::Title, "Boss".into()), (Field::Email, "".into()), (Field::LabelNames, lists(&["Leads"]))]
                .into_iter()
                .collect();
        let odd = |number: usize| if number.is_multiple_of(3) { "other".to_owned() } else { number.to_string() };
        let bindings = [
            binding(applied.clone(), applied.clone()),
            binding(applied.clone(), answered.clone()),
            binding(applied.clone(), Fields::default()),
            binding(Fields::default(), answered),
            binding(many(|number| number.to_string()), many(odd)),
            Binding { gone_at: Some(Timestamp(3)), ..binding(applied.clone(), applied.clone()) },
            Binding { fingerprint: None, ..binding(applied.clone(), applied.clone()) },
            Binding { dropped: [Field::Title].into(), ..binding(applied.clone(), applied.clone()) },
            Binding { found_lists: ["Leads".to_owned()].into(), ..binding(applied.clone(), applied) },
        ];
        for binding in bindings {
            let packed = PackedBinding::from(binding.clone());
            assert_eq!(packed.unpack(), binding);
            assert_eq!(packed.apollo_id(), binding.apollo_id);
            for declared in [None, binding.fingerprint, Some(Fingerprint::from_bytes([2; 16]))] {
                assert_eq!(packed.stands_as(declared), binding.stands_as(declared));
            }
            let json = serde_json::to_string(&packed).unwrap();
            assert_eq!(json, serde_json::to_string(&binding).unwrap());
            assert_eq!(serde_json::from_str::<PackedBinding>(&json).unwrap(), packed);
        }
    }

    #[test]
    fn what_was_answered_as_it_was_applied_is_kept_once() {
        let fields = many(|number| "x".repeat(100 + number));
        let packed = PackedBinding::from(binding(fields.clone(), fields));
        assert_eq!(packed.text.matches(&"x".repeat(100)).count(), 70 - 6 + 6 * 2);
    }
}
