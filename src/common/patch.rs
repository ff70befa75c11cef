//! A field of a partial update: left out, set to null, or given a value.

use serde::{Deserialize, Deserializer};

/// A field that is absent stays as it is, `null` clears it, a value replaces it.
/// Use with `#[serde(default)]` and `#[schema(value_type = Option<T>)]`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Patch<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Patch<T> {
    /// The field after the update, given what it was before.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Patch::Absent => current,
            Patch::Null => None,
            Patch::Value(value) => Some(value),
        }
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Patch::Absent)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Patch<T>, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Patch::Null, Patch::Value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Update {
        #[serde(default)]
        name: Patch<String>,
    }

    #[test]
    fn absent_null_and_value_differ() {
        for (json, expected) in
            [("{}", Some("old".to_owned())), (r#"{"name":null}"#, None), (r#"{"name":"new"}"#, Some("new".to_owned()))]
        {
            let update: Update = serde_json::from_str(json).unwrap();
            assert_eq!(update.name.apply(Some("old".to_owned())), expected, "{json}");
        }
    }
}
