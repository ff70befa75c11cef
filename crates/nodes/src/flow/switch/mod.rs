//! Switch: sends each item to the output of the rule it matches, or to the output a number names.

mod rules;
#[cfg(test)]
mod tests;
mod value_rules;

use millrace_model::{ExecutionError, Item, Object, Value, parse_number, to_index};

use crate::{NodeContext, NodeResult, NodeType, Output, Ports, RequiredInputs};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.switch", include_str!("description.json"), execute).ports(ports);

/// Outputs of version 1, and of versions before 3 by number unless they say otherwise.
const FIXED_OUTPUTS: usize = 4;
/// Most outputs a node may ask for.
const MAX_OUTPUTS: usize = 1024;

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let by_rules = context.prepare("mode").raw().as_str() == Some("rules");
    if by_rules && context.version() >= 3.0 {
        return rules::execute(context);
    }
    if by_rules {
        return value_rules::execute(context);
    }
    let count = outputs_by_number(context.version(), context.parameters);
    let mut outputs = Outputs::new(count, context.version());
    let number = context.prepare("output");
    let checked = context.version() >= 3.0;
    for (at, item) in context.items().iter().enumerate() {
        let sent = number.at(context, at).and_then(|number| {
            if checked && parse_number(&number.to_js_string()).is_nan() {
                return Err(not_a_number(&number, at));
            }
            outputs.send(&number, item, at)
        });
        outputs.or_continue(context, sent, at)?;
    }
    Ok(outputs.into_output())
}

fn ports(version: f64, parameters: &Object) -> Ports {
    let rules = |group: &str, list: &str| {
        let rules = parameters.get(group).and_then(|group| group.get(list)).and_then(Value::as_array);
        rules.map_or(0, <[Value]>::len)
    };
    let by_number = parameters.get("mode").and_then(Value::as_str) == Some("expression");
    let outputs = if by_number || version < 2.0 {
        outputs_by_number(version, parameters)
    } else if version < 3.0 {
        rules("rules", "rules")
    } else {
        let fallback = parameters.get("options").and_then(|options| options.get("fallbackOutput"));
        rules("rules", "values") + usize::from(fallback.and_then(Value::as_str) == Some("extra"))
    };
    Ports { inputs: 1, outputs, required: RequiredInputs::Unstated }
}

/// Outputs of a node that is told the output's number.
fn outputs_by_number(version: f64, parameters: &Object) -> usize {
    let key = if version < 3.0 { "outputsAmount" } else { "numberOutputs" };
    let count = parameters.get(key).and_then(Value::as_f64).and_then(to_index);
    if version < 2.0 { FIXED_OUTPUTS } else { count.unwrap_or(FIXED_OUTPUTS).min(MAX_OUTPUTS) }
}

/// Items by output.
struct Outputs {
    items: Vec<Vec<Item>>,
    /// Does the text about an output that does not exist say it all (before version 3)?
    one_sentence: bool,
}

impl Outputs {
    fn new(count: usize, version: f64) -> Outputs {
        Outputs { items: vec![Vec::new(); count], one_sentence: version < 3.0 }
    }

    /// Adds an item to the output of this index.
    fn send(&mut self, index: &Value, item: &Item, at: usize) -> Result<(), ExecutionError> {
        let number = match index {
            Value::Number(number) => *number,
            other => parse_number(&other.to_js_string()),
        };
        let count = self.items.len();
        match to_index(number).and_then(|index| self.items.get_mut(index)) {
            Some(output) => {
                output.push(item.clone());
                Ok(())
            }
            None if self.one_sentence => {
                let (index, last) = (index.to_js_string(), count.saturating_sub(1));
                let message = format!("The ouput {index} is not allowed. It has to be between 0 and {last}!");
                Err(ExecutionError::operation(message).at_item(at))
            }
            None => Err(no_such_output(&index.to_js_string(), number, count).at_item(at)),
        }
    }

    /// Lets a failed item go on with its error on the first output, where the node is told so; n8n does not link it.
    fn or_continue(
        &mut self,
        context: &NodeContext<'_>,
        sent: Result<(), ExecutionError>,
        at: usize,
    ) -> Result<(), ExecutionError> {
        match (sent, self.items.first_mut()) {
            (Ok(()), _) => Ok(()),
            (Err(error), Some(first)) if context.continue_on_fail() => {
                first.push(Item::new(Object::from([("error", error.message.into())])));
                Ok(())
            }
            (Err(error), _) => Err(error.at_item(at)),
        }
    }

    fn into_output(self) -> Output {
        Output::of(if self.items.is_empty() { vec![Vec::new()] } else { self.items })
    }
}

fn not_a_number(value: &Value, at: usize) -> ExecutionError {
    let message = format!("Invalid input for 'Output Index' [item {at}]");
    let shown = match value {
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
        value => format!("'{}'", value.to_js_string()),
    };
    ExecutionError::new("ExpressionError", message).describe(format!("'output' expects a number but we got {shown}"))
}

fn no_such_output(index: &str, number: f64, count: usize) -> ExecutionError {
    let message = format!("The ouput {index} is not allowed. ");
    if to_index(number) == Some(count) {
        let last = count.saturating_sub(1);
        let advice = format!("Output indexes are zero based, if you want to use the extra output use {last}");
        return ExecutionError::operation(message).describe(advice);
    }
    let range = format!("It has to be between 0 and {}", count.saturating_sub(1));
    ExecutionError::operation(message.trim_end().trim_end_matches('.').to_owned()).describe(range)
}
