//! What is written on executions: votes, notes and tags of people, and values that workflows set (`$execution.customData`).

use std::collections::HashMap;

use indexmap::IndexMap;
use millrace_model::Object;

use super::dto::{AnnotateExecution, AnnotationResponse, ExecutionResponse};
use super::error::Error;
use super::repository::{self as rows, Label};
use super::service::Service;
use crate::common::names::names;
use crate::common::{Ctx, ExecutionId};
use crate::domains::audit::Change;
use crate::infrastructure::database;

/// n8n's limits on what a workflow writes on its execution.
const MOST_METADATA: usize = 10;
const LONGEST_NAME: usize = 50;
const LONGEST_VALUE: usize = 512;

names! {
    /// What a label is.
    Kind {
        /// `up` or `down`.
        Vote = "vote",
        Note = "note",
        /// Its name is the tag.
        Tag = "tag",
        /// A value that the workflow set.
        Metadata = "metadata",
    }
}

names! {
    /// What somebody thinks of an execution.
    Vote {
        Up = "up",
        Down = "down",
    }
}

/// What the workflow wrote on its execution, within limits, without fields that are not to be kept.
pub(super) fn of_custom_data(row: &rows::Row, data: &Object, redacted: &[String]) -> Vec<Label> {
    let label = |(name, value): (&millrace_model::Str, &millrace_model::Value)| Label {
        tenant_id: row.tenant_id,
        execution_id: row.id,
        kind: Kind::Metadata,
        name: name.chars().take(LONGEST_NAME).collect(),
        value: value.to_js_string().chars().take(LONGEST_VALUE).collect(),
    };
    let is_kept = |(name, _): &(&millrace_model::Str, &millrace_model::Value)| {
        !redacted.contains(&name.to_lowercase().to_string())
    };
    data.iter().filter(is_kept).take(MOST_METADATA).map(label).collect()
}

impl Service {
    /// Replaces what people wrote on an execution.
    pub async fn annotate(
        &self,
        ctx: &Ctx,
        id: ExecutionId,
        annotation: AnnotateExecution,
    ) -> Result<ExecutionResponse, Error> {
        let row = self.row(ctx, id).await?;
        let label =
            |kind, name: String, value: String| Label { tenant_id: ctx.tenant, execution_id: id, kind, name, value };
        let change = Change::new("execution.annotate", id).after(&annotation);
        let AnnotateExecution { vote, note, tags } = annotation;
        let mut labels: Vec<Label> =
            vote.map(|vote| label(Kind::Vote, String::new(), vote.to_string())).into_iter().collect();
        labels.extend(note.filter(|note| !note.is_empty()).map(|note| label(Kind::Note, String::new(), note)));
        labels.extend(tags.into_iter().map(|tag| label(Kind::Tag, tag, String::new())));
        let transaction = self.database.begin(ctx).await?;
        rows::unlabel(&transaction, ctx.tenant, id, &[Kind::Vote, Kind::Note, Kind::Tag]).await?;
        rows::label(&transaction, labels).await?;
        self.audit.record(&transaction, ctx, change).await?;
        transaction.commit().await?;
        let mut responses = [ExecutionResponse::from_row(row)];
        self.show_labels(ctx, &mut responses).await?;
        let [response] = responses;
        Ok(response)
    }

    /// Adds what is written on executions.
    pub(super) async fn show_labels(
        &self,
        ctx: &Ctx,
        executions: &mut [ExecutionResponse],
    ) -> Result<(), database::Error> {
        let ids = executions.iter().map(|execution| execution.id);
        let mut labels: HashMap<ExecutionId, Vec<Label>> = HashMap::new();
        for label in rows::labels(&self.database.read(ctx), ctx.tenant, ids).await? {
            labels.entry(label.execution_id).or_default().push(label);
        }
        for execution in executions {
            let (mut annotation, mut metadata) = (AnnotationResponse::default(), IndexMap::new());
            for label in labels.remove(&execution.id).unwrap_or_default() {
                match label.kind {
                    Kind::Vote => annotation.vote = label.value.parse().ok(),
                    Kind::Note => annotation.note = Some(label.value),
                    Kind::Tag => annotation.tags.push(label.name),
                    Kind::Metadata => drop(metadata.insert(label.name, label.value)),
                }
            }
            execution.annotation = Some(annotation).filter(|annotation| *annotation != AnnotationResponse::default());
            execution.metadata = metadata;
        }
        Ok(())
    }
}
