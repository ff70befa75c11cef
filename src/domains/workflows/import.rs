//! What may be posted to an import: one n8n export, a list of them, or a page of n8n's public API (`{"data": […]}`).

use millrace_model::Problem;
use serde_json::value::RawValue;

use super::document::{Document, Fields};
use super::error::Error;
use super::model::Checked;
use super::service::{Imported, Service};
use crate::common::{Ctx, WorkflowId};
use crate::domains::tenants::OpenPools;

/// Most workflows in one import.
const MAX_WORKFLOWS: usize = 1000;

/// What the public API of an n8n shows with a workflow that is no part of it: who has it there, and a copy of it.
const BESIDE: [&str; 2] = ["shared", "activeVersion"];

/// The documents of an import, each with the JSON pointer under which it stands in the request.
#[derive(Debug, PartialEq, Eq)]
pub enum Bundle {
    One(Document),
    Many(Vec<(String, Document)>),
}

/// Why a body is no import.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("expected a workflow, a list of workflows or {{\"data\": [workflows]}}")]
    NotWorkflows,
    #[error("an import holds at most {MAX_WORKFLOWS} workflows, this one has {0}")]
    TooMany(usize),
}

impl Bundle {
    /// Every document of it, or all that is wrong with them.
    pub(super) fn checked(self, pools: &OpenPools) -> Result<Vec<Checked>, Vec<Problem>> {
        let documents = match self {
            Bundle::One(document) => vec![(String::new(), document)],
            Bundle::Many(documents) => documents,
        };
        let (mut good, mut problems) = (Vec::with_capacity(documents.len()), Vec::new());
        for (pointer, document) in documents {
            match Checked::new(document, &pointer, false, pools) {
                Ok(checked) => good.push(checked),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(good) } else { Err(problems) }
    }

    /// Takes a request body apart.
    pub fn parse(body: &RawValue) -> Result<Bundle, Unreadable> {
        match body.get().as_bytes().first() {
            Some(b'[') => many("", body),
            Some(b'{') => {
                let fields: Fields<'_> = serde_json::from_str(body.get()).map_err(|_| Unreadable::NotWorkflows)?;
                match fields.get("data") {
                    Some(data) if !fields.contains_key("nodes") => many("/data", data),
                    _ => Ok(Bundle::One(Document::from_raw(body))),
                }
            }
            _ => Err(Unreadable::NotWorkflows),
        }
    }
}

fn many(pointer: &str, list: &RawValue) -> Result<Bundle, Unreadable> {
    let list: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| Unreadable::NotWorkflows)?;
    if list.len() > MAX_WORKFLOWS {
        return Err(Unreadable::TooMany(list.len()));
    }
    let documents = list.into_iter().enumerate();
    Ok(Bundle::Many(documents.map(|(at, raw)| (format!("{pointer}/{at}"), Document::from_raw(raw))).collect()))
}

impl Service {
    /// Keeps one document as an import does, without what the server it comes from keeps beside; gives the workflow's id.
    pub async fn take_over(&self, ctx: &Ctx, document: Document) -> Result<WorkflowId, Error> {
        let document = document.without_fields(&BESIDE);
        match self.import(ctx, Bundle::One(document)).await? {
            Imported::One(view) => Ok(view.row.id),
            Imported::Many(_) => Err(Error::NotFound),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_told_apart() {
        let pointers = |body: &str| match Bundle::parse(serde_json::from_str(body).unwrap()) {
            Ok(Bundle::One(_)) => vec![String::new()],
            Ok(Bundle::Many(list)) => list.into_iter().map(|(pointer, _)| pointer).collect(),
            Err(error) => vec![error.to_string()],
        };
        for (body, expected) in [
            (r#"{"nodes":[]}"#, vec![""]),
            (r#" [{"nodes":[]},{"nodes":[]}]"#, vec!["/0", "/1"]),
            (r#"{"data":[{"nodes":[]}],"nextCursor":null}"#, vec!["/data/0"]),
            (r#"{"data":{},"nodes":[]}"#, vec![""]),
            ("[]", vec![]),
        ] {
            assert_eq!(pointers(body), expected, "{body}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for body in ["1", "\"x\"", "null", "true", "{\"data\":5}", "{\"data\":null}"] {
            assert_eq!(Bundle::parse(serde_json::from_str(body).unwrap()), Err(Unreadable::NotWorkflows), "{body}");
        }
        let list = format!("[{}]", vec!["{}"; MAX_WORKFLOWS + 1].join(","));
        let list = serde_json::from_str(&list).unwrap();
        assert_eq!(Bundle::parse(list), Err(Unreadable::TooMany(MAX_WORKFLOWS + 1)));
    }
}
