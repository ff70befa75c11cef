//! Form: in mid-run a page that the person who filled in the form before goes on with, or what is shown at the end.

#[cfg(test)]
mod tests;

use super::deadline;
use crate::form::{shown_ending, shown_page};
use crate::{NodeContext, NodeResult, NodeType, Output, Wait};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.form", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let shows =
        if context.text("operation", 0)? == "completion" { shown_ending(context) } else { shown_page(context) }?;
    let until = deadline::limit(context)?;
    let wait = Wait { until, resume: Some("form".into()), shows: Some(shows) };
    Ok(Output { wait: Some(wait), ..Output::pass(context) })
}
