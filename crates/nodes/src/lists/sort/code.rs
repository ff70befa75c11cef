//! Sorting by the node's own JavaScript.

use millrace_expression::{Script, ScriptHost, ScriptKind};
use millrace_model::{ExecutionError, Value, to_index};

use crate::NodeContext;

/// Sorting code has nothing to ask of the node.
struct NoHelpers;

impl ScriptHost for NoHelpers {
    fn call(&mut self, name: &str, _arguments: Value) -> Result<Value, ExecutionError> {
        Err(ExecutionError::operation(format!("Sorting code cannot call {name}")))
    }
}

/// Places of the items in the order in which the code puts them.
pub(super) fn order(context: &mut NodeContext<'_>, code: &str) -> Result<Vec<usize>, ExecutionError> {
    let text = format!(
        "const compare = (a, b) => {{ {code}\n}}; const list = $input.all(); \
         return list.map((_, at) => at).sort((left, right) => compare(list[left], list[right]));"
    );
    let script = Script::new(&text, ScriptKind::CodeAllItems);
    let scope = context.scope(0);
    let outcome = context.sandbox.run_script(&script, &scope, &mut NoHelpers)?;
    let places = outcome.value.as_array().unwrap_or_default();
    Ok(places.iter().filter_map(Value::as_f64).filter_map(to_index).collect())
}
