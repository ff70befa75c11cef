//! What the API takes and shows of what is written on executions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::super::labels::Vote;

/// Most tags of an execution, and the longest, in characters.
const MOST_TAGS: usize = 32;
const LONGEST_TAG: usize = 64;

/// What people think of an execution; takes the place of what was written before.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "vote": "down", "note": "Wrong customer", "tags": ["reviewed"] }))]
pub struct AnnotateExecution {
    pub vote: Option<Vote>,
    #[validate(length(max = 5000))]
    pub note: Option<String>,
    #[serde(default)]
    #[validate(custom(function = tags))]
    pub tags: Vec<String>,
}

fn tags(tags: &[String]) -> Result<(), ValidationError> {
    let fits = |tag: &String| !tag.trim().is_empty() && tag.chars().count() <= LONGEST_TAG;
    if tags.len() <= MOST_TAGS && tags.iter().all(fits) {
        return Ok(());
    }
    Err(ValidationError::new("tags").with_message("at most 32 tags of 1 to 64 characters".into()))
}

/// What people wrote on an execution.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnnotationResponse {
    pub vote: Option<Vote>,
    pub note: Option<String>,
    pub tags: Vec<String>,
}
