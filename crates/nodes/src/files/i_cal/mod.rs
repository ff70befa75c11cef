//! iCalendar: an event as a calendar file.

use super::{binary, event};
use crate::{NodeContext, NodeResult, NodeType};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.iCal", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    binary::each_item(context, event::item)
}
