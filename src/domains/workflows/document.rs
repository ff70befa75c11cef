//! A workflow document as it was given. The JSON text is kept, so that key order, unknown fields and numbers beyond a
//! double come back as they came; only white space outside strings is dropped.

use std::sync::Arc;

use indexmap::IndexMap;
use millrace_model::{Problem, Value, Workflow};
use serde_json::value::RawValue;

/// JSON text of one workflow. Cloning is O(1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(Arc<str>);

/// The fields of a document, values unparsed, in the order written.
pub(super) type Fields<'a> = IndexMap<String, &'a RawValue>;

impl Document {
    /// Takes over JSON text that a parser has accepted.
    pub fn from_raw(raw: &RawValue) -> Document {
        Document(minified(raw.get()).into())
    }

    /// Takes over text that was stored by this server.
    pub fn from_stored(text: String) -> Document {
        Document(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The workflow it describes, or everything that keeps it from being one.
    pub fn parse(&self) -> Result<Workflow, Vec<Problem>> {
        let value = Value::from_json(&self.0).map_err(|error| {
            let message = format!("the document cannot be read: {error}");
            vec![Problem::new("", "workflow.unreadable", message)]
        })?;
        Workflow::parse(&value)
    }

    /// Its top-level fields; empty when it is no object.
    pub(super) fn fields(&self) -> Fields<'_> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// One top-level field.
    pub(super) fn field<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.fields().get(name)?.get()).ok()
    }

    /// The document without some top-level fields.
    pub(super) fn without_fields(self, names: &[&str]) -> Document {
        let mut fields = self.fields();
        let before = fields.len();
        fields.retain(|name, _| !names.contains(&name.as_str()));
        if fields.len() == before {
            return self;
        }
        match serde_json::to_string(&fields) {
            Ok(text) => Document(text.into()),
            Err(_) => self.clone(),
        }
    }
}

/// JSON text without white space between its tokens. The text is well-formed JSON.
fn minified(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut escaped = false;
    for character in text.chars() {
        if in_string {
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
        } else if character.is_ascii_whitespace() {
            continue;
        } else {
            in_string = character == '"';
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::from_raw(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn only_white_space_between_tokens_is_dropped() {
        for (given, kept) in [
            ("{ \"a\" : [ 1 , 2 ] }", r#"{"a":[1,2]}"#),
            ("{\"a b\":\" \\\" x \\\\\" , \"c\": 1}", r#"{"a b":" \" x \\","c":1}"#),
            ("{\"n\": 12345678901234567890.10, \"e\": 1E400 }", r#"{"n":12345678901234567890.10,"e":1E400}"#),
            ("{\"u\": \"\\u00e9 é\\n\"}", "{\"u\":\"\\u00e9 é\\n\"}"),
        ] {
            assert_eq!(document(given).as_str(), kept, "{given}");
        }
    }

    #[test]
    fn fields_are_left_out_and_the_others_stay_as_they_are() {
        let given = document(r#"{"name":"a","x":12345678901234567890,"nodes":[]}"#);
        assert_eq!(given.field::<String>("name").as_deref(), Some("a"));
        assert_eq!(given.without_fields(&["name"]).as_str(), r#"{"x":12345678901234567890,"nodes":[]}"#);
    }

    #[test]
    fn unreadable_documents_name_their_problem() {
        let deep = format!(r#"{{"nodes":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        let problems = document(&deep).parse().unwrap_err();
        assert_eq!(problems[0].code, "workflow.unreadable");
        assert!(document("[]").parse().is_err());
    }
}
