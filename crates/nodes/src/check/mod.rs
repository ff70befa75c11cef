//! Checks of single functions over JSON lines: conditions, field types, parameters. For tools, not for runs.

mod tagged;
#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;
use millrace_model::{Object, Str, Value};

use crate::conditions::Conditions;
use crate::description::{Properties, Property, Variant};
use crate::field_type::{FieldType, Rules, validate};
use crate::parameters::{Wanted, display_parameter, get_node_parameters};

/// Answers one line `{"id", "kind", …arguments}` with `{"id", "result"}` or `{"id", "error": {"message"}}`.
///
/// Kinds: `filter` (`filter`, `options`?), `typeValidation` (`fieldName`, `value`, `type`, `options`?) and
/// `nodeParameters` (`fn`, `args`). Values that JSON lacks are tagged: `{"$type": "undefined"}` and so on.
pub fn evaluate_line(line: &str) -> String {
    let (id, outcome) = match Value::from_json(line) {
        Ok(Value::Object(request)) => (request.get("id").cloned().unwrap_or_default(), evaluate(&request)),
        Ok(_) => (Value::Null, Err("a line is a JSON object".to_owned())),
        Err(problem) => (Value::Null, Err(format!("a line is a JSON object: {problem}"))),
    };
    let answer = match outcome {
        Ok(result) => ("result", result),
        Err(message) => ("error", Object::from([("message", message.into())]).into()),
    };
    let mut reply = Object::from([("id", id)]);
    reply.insert(answer.0, answer.1);
    Value::from(reply).to_json()
}

fn evaluate(request: &Object) -> Result<Value, String> {
    let request = tagged::untag_object(request);
    match request.get("kind").and_then(Value::as_str) {
        Some("filter") => filter(&request),
        Some("typeValidation") => Ok(type_validation(&request)),
        Some("nodeParameters") => node_parameters(&request),
        _ => Err("\"kind\" is filter, typeValidation or nodeParameters".to_owned()),
    }
}

fn filter(request: &Object) -> Result<Value, String> {
    let filter = request.get("filter").ok_or("\"filter\" is missing")?;
    let item = request.get("options").and_then(|options| options.get("itemIndex")?.as_f64());
    let item = item.and_then(millrace_model::to_index).unwrap_or(0);
    let held = Conditions::parse(filter).hold(item, &TimeZone::UTC);
    held.map(Value::from).map_err(|error| error.message.to_string())
}

fn type_validation(request: &Object) -> Value {
    let text = |key: &str| request.get(key).map(Value::to_js_string).unwrap_or_default();
    let value = request.get("value").cloned().unwrap_or_default();
    let options = request.get("options").and_then(Value::as_object).cloned().unwrap_or_default();
    let flag = |key: &str| options.get(key).is_some_and(millrace_model::truthy);
    let allowed = options.get("valueOptions").and_then(Value::as_array).unwrap_or_default();
    let allowed: Vec<Value> = allowed.iter().map(|option| option.get("value").cloned().unwrap_or_default()).collect();
    let rules =
        Rules { strict: flag("strict"), parse_strings: flag("parseStrings"), options: &allowed, zone: &TimeZone::UTC };
    let kind = FieldType::named(&text("type")).unwrap_or(FieldType::Any);
    match validate(&text("fieldName"), &value, kind, &rules) {
        Ok(_) if value.is_nullish() => Object::from([("valid", true.into())]).into(),
        Ok(typed) => Object::from([("valid", true.into()), ("newValue", tagged::tag(&typed))]).into(),
        Err(message) => Object::from([("valid", false.into()), ("errorMessage", message.into())]).into(),
    }
}

fn node_parameters(request: &Object) -> Result<Value, String> {
    let arguments = request.get("args").and_then(Value::as_object).ok_or("\"args\" is missing")?;
    let object = |key: &str| arguments.get(key).and_then(Value::as_object);
    let flag = |key: &str| arguments.get(key).is_some_and(millrace_model::truthy);
    let version = object("node").map(|node| node.get("typeVersion").and_then(Value::as_f64).unwrap_or(0.0));
    let variant = object("nodeTypeDescription").map(|document| Variant::parse(document.clone()));
    let empty = Object::new();
    let values = object("nodeValues").unwrap_or(&empty);
    match request.get("fn").and_then(Value::as_str) {
        Some("getNodeParameters") => {
            if arguments.get("nodeValues").is_none_or(Value::is_nullish) {
                return Ok(Object::new().into());
            }
            let properties = Properties::parse(arguments.get("properties").unwrap_or(&Value::Null));
            let wanted = Wanted { defaults: flag("returnDefaults"), hidden: flag("returnNoneDisplayed") };
            Ok(get_node_parameters(&properties, values, wanted, version, variant.as_ref()).into())
        }
        Some("displayParameter") => {
            let property = object("parameter").and_then(Property::parse).ok_or("\"parameter\" is missing")?;
            let root = object("nodeValuesRoot").unwrap_or(values);
            Ok(display_parameter(values, &property, version, variant.as_ref(), root).into())
        }
        _ => Err(Str::from("\"fn\" is getNodeParameters or displayParameter").to_string()),
    }
}
