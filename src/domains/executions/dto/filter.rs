//! What lists and jobs of executions are narrowed by.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::model::{Mode, Status};
use super::super::repository::Filter;
use super::ListExecutionsQuery;
use crate::common::Timestamp;

/// Which executions are meant: those for which all of it holds.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({ "status": "error", "createdAfter": "2025-01-31T00:00:00.000Z" }))]
pub struct ExecutionFilter {
    pub status: Option<Status>,
    /// Id or alias.
    pub workflow_id: Option<String>,
    pub mode: Option<Mode>,
    pub tag: Option<String>,
    /// `name:value` as the workflow set it.
    #[schema(value_type = Option<String>)]
    pub metadata: Option<MetadataFilter>,
    pub created_after: Option<Timestamp>,
    pub created_before: Option<Timestamp>,
}

/// A name and its value, written `name:value`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetadataFilter {
    pub name: String,
    pub value: String,
}

impl TryFrom<String> for MetadataFilter {
    type Error = &'static str;

    fn try_from(text: String) -> Result<MetadataFilter, &'static str> {
        let (name, value) = text.split_once(':').filter(|(name, _)| !name.is_empty()).ok_or("expected name:value")?;
        Ok(MetadataFilter { name: name.to_owned(), value: value.to_owned() })
    }
}

impl From<MetadataFilter> for String {
    fn from(filter: MetadataFilter) -> String {
        format!("{}:{}", filter.name, filter.value)
    }
}

impl ListExecutionsQuery {
    /// All of it but the workflow and the page.
    pub(in super::super) fn filter(&self) -> ExecutionFilter {
        ExecutionFilter {
            status: self.status,
            workflow_id: None,
            mode: self.mode,
            tag: self.tag.clone(),
            metadata: self.metadata.clone(),
            created_after: self.created_after,
            created_before: self.created_before,
        }
    }
}

impl ExecutionFilter {
    /// For the database; without a state of its own, executions in one of these states, or in any where there are none.
    pub(in super::super) fn rows(self, fitting: &[Status]) -> Filter {
        Filter {
            workflow: self.workflow_id.and_then(|id| id.parse().ok()),
            statuses: self.status.map_or_else(|| fitting.to_vec(), |status| vec![status]),
            mode: self.mode,
            tag: self.tag,
            metadata: self.metadata.map(|MetadataFilter { name, value }| (name, value)),
            created_after: self.created_after,
            created_before: self.created_before,
            ..Filter::default()
        }
    }
}
