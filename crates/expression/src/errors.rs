//! The errors of expressions that refer to data which is not there, in n8n's words.

use millrace_model::{ExecutionError, Str};

fn expression(message: impl Into<Str>) -> ExecutionError {
    ExecutionError::new("ExpressionError", message)
}

pub(crate) fn unknown_node(name: &str) -> ExecutionError {
    expression("Referenced node doesn't exist")
        .describe(format!("The node '{name}' doesn't exist, but it's used in an expression here."))
        .with_context("nodeCause", name)
        .with_context("type", "paired_item_invalid_info")
}

pub(crate) fn not_executed(name: &str) -> ExecutionError {
    expression(format!("Node '{name}' hasn't been executed"))
        .describe(
            "An expression references this node, but the node is unexecuted. Consider re-wiring your nodes or checking \
             for execution first, i.e. {{ $if( $(\"{{nodeName}}\").isExecuted, <action_if_executed>, \"\") }}",
        )
        .with_context("nodeCause", name)
        .with_context("type", "no_execution_data")
}

pub(crate) fn no_path_back(name: &str) -> ExecutionError {
    expression("Invalid expression")
        .describe(format!(
            "There is no connection back to the node '{name}', but it's used in an expression here. Please wire up the \
             node (there can be other nodes in between)."
        ))
        .with_context("nodeCause", name)
        .with_context("type", "paired_item_no_connection")
}

pub(crate) fn nothing_executed() -> ExecutionError {
    expression("The workflow hasn't been executed yet, so you can't reference any output data")
        .with_context("type", "no_execution_data")
}

pub(crate) fn no_run(name: &str, run: i64) -> ExecutionError {
    expression(format!("Run {run} of node \"{name}\" not found"))
}

pub(crate) fn no_branch(name: &str, output: i64) -> ExecutionError {
    expression(format!("Node \"{name}\" has no branch with index {output}."))
}

pub(crate) fn no_data() -> ExecutionError {
    expression("No execution data available").with_context("type", "no_execution_data")
}

pub(crate) fn no_item(index: usize) -> ExecutionError {
    expression(format!("No data found for item-index: \"{index}\""))
}

pub(crate) fn several_matches(name: &str) -> ExecutionError {
    expression("Multiple matches found")
        .describe(format!(
            "The expression uses data in the node '{name}' but there is more than one matching item in that node. \
             Reference a specific item, for example with .first(), .last() or .all()[x] instead of .item."
        ))
        .with_context("nodeCause", name)
        .with_context("type", "paired_item_multiple_matches")
}

pub(crate) fn pinned(name: &str, method: &str) -> ExecutionError {
    expression(format!(
        "Using the {method} method doesn't work with pinned data in this scenario. Please unpin '{name}' and try again."
    ))
    .with_context("nodeCause", name)
    .with_context("type", "paired_item_no_info")
}

pub(crate) fn no_pairing(name: &str) -> ExecutionError {
    expression(format!(
        "Paired item data for item from node '{name}' is unavailable. Ensure '{name}' is providing the required output."
    ))
    .describe(
        "Make sure that the node gives its items a pairedItem, or refer to a specific item with .first(), .last() or \
         .all()[x] instead of .item.",
    )
    .with_context("nodeCause", name)
    .with_context("type", "paired_item_no_info")
}

pub(crate) fn wrong_pairing(name: &str) -> ExecutionError {
    expression("Can't get data for expression")
        .describe(format!("An item of the node '{name}' says it was made from an item that does not exist."))
        .with_context("nodeCause", name)
        .with_context("type", "paired_item_invalid_info")
}
