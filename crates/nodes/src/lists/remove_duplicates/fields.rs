//! Items of the input that are alike in the fields that count.

use std::hash::{Hash, Hasher};

use millrace_model::{ExecutionError, Item, Object, Str, Value};
use rustc_hash::FxHashSet;

use crate::value_key::ValueKey;
use crate::{NodeContext, dot_path, field_list};

/// The items without those that are like an earlier one.
pub(in crate::lists) fn within_input(context: &mut NodeContext<'_>) -> Result<Vec<Item>, ExecutionError> {
    let literal = context.flag("options.disableDotNotation", 0)?;
    let items = context.items();
    let keys = chosen_keys(context, literal)?;
    let rules = Rules::of(context);
    for key in &keys {
        check(items, key, literal, rules)?;
    }
    let mut seen = FxHashSet::default();
    let kept = items.iter().filter(|item| seen.insert(Row { json: &item.json, keys: &keys, literal }));
    if !context.flag("options.removeOtherFields", 0)? {
        return Ok(kept.cloned().collect());
    }
    let kept = kept.enumerate().map(|(at, item)| {
        let mut json = Object::new();
        for key in &keys {
            if let Some(value) = dot_path::get_as(&item.json, key, literal) {
                dot_path::set_as(&mut json, key, value.clone(), literal)?;
            }
        }
        Ok(Item::new(json).paired(at))
    });
    kept.collect()
}

/// Names of the fields that are compared.
fn chosen_keys(context: &mut NodeContext<'_>, literal: bool) -> Result<Vec<Str>, ExecutionError> {
    let refuse = |what: &str| ExecutionError::operation(format!("No fields specified. Please add a field to {what}"));
    match context.text("compare", 0)?.as_str() {
        "selectedFields" => {
            let names = field_list::listed(context, "fieldsToCompare", "Fields To Compare", 0)?;
            if names.is_empty() { Err(refuse("compare on")) } else { Ok(names) }
        }
        "allFieldsExcept" => {
            let excluded = field_list::listed(context, "fieldsToExclude", "Fields To Exclude", 0)?;
            if excluded.is_empty() {
                return Err(refuse("exclude from comparison"));
            }
            let items = context.items();
            let mut names = all_keys(if literal { items } else { items.get(..1).unwrap_or(items) }, literal);
            names.retain(|name| !excluded.contains(name));
            Ok(names)
        }
        _ => Ok(all_keys(context.items(), literal)),
    }
}

/// Names of the fields of all items; nested ones by their path unless names are literal.
fn all_keys(items: &[Item], literal: bool) -> Vec<Str> {
    let mut keys = Vec::new();
    let mut known = FxHashSet::default();
    let mut add = |key: Str| {
        if known.insert(key.clone()) {
            keys.push(key);
        }
    };
    for json in items.iter().filter_map(|item| item.json.as_object()) {
        if literal {
            json.keys().for_each(|key| add(key.clone()));
        } else {
            json.iter().for_each(|(key, value)| flatten(key.clone(), value, &mut add));
        }
    }
    keys
}

fn flatten(path: Str, value: &Value, add: &mut impl FnMut(Str)) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter() {
                flatten(format!("{path}.{key}").into(), value, add);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                flatten(format!("{path}.{at}").into(), value, add);
            }
        }
        _ => add(path),
    }
}

/// What the node's versions check differently. Item Lists has its own numbering.
#[derive(Clone, Copy)]
struct Rules {
    checks_types: bool,
    skips_null: bool,
    /// Does the error say which items differ?
    names_items: bool,
}

impl Rules {
    fn of(context: &NodeContext<'_>) -> Rules {
        let version = context.version();
        match context.node().short_kind() {
            "itemLists" => Rules { checks_types: version < 3.1, skips_null: version > 1.0, names_items: false },
            _ => Rules { checks_types: true, skips_null: version > 1.0, names_items: version > 1.0 },
        }
    }
}

/// A field that is compared is in every item, always of the same type.
fn check(items: &[Item], key: &str, literal: bool, rules: Rules) -> Result<(), ExecutionError> {
    if key.is_empty() {
        return Err(ExecutionError::operation("Name of field to compare is blank"));
    }
    let mut kind: Option<&str> = None;
    for (at, item) in items.iter().enumerate() {
        let value = dot_path::get_as(&item.json, key, literal).unwrap_or(&Value::Undefined);
        if value.is_undefined() {
            return Err(missing(key, literal));
        }
        if *value == Value::Null && rules.skips_null {
            continue;
        }
        if !rules.checks_types {
            continue;
        }
        let own = type_of(value);
        if let Some(before) = kind
            && before != own
        {
            let mut description = "The type of this field varies between items".to_owned();
            if rules.names_items {
                let previous = at.saturating_sub(1);
                description =
                    format!("{description}, in item [{previous}] it's a {before} and in item [{at}] it's a {own} ");
            }
            return Err(ExecutionError::operation(format!("'{key}' isn't always the same type")).describe(description));
        }
        kind = Some(own);
    }
    Ok(())
}

fn missing(key: &str, literal: bool) -> ExecutionError {
    let error = ExecutionError::operation(format!("'{key}' field is missing from some input items"));
    if !literal || !key.contains('.') {
        return error;
    }
    error.describe(
        "If you're trying to use a nested field, make sure you turn off 'disable dot notation' in the node options",
    )
}

/// JavaScript's `typeof`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) => "object",
        value => value.kind(),
    }
}

/// The compared fields of an item as one key.
struct Row<'a> {
    json: &'a Value,
    keys: &'a [Str],
    literal: bool,
}

impl<'a> Row<'a> {
    fn values(&self) -> impl Iterator<Item = ValueKey<'a>> + use<'a> {
        let (json, literal) = (self.json, self.literal);
        self.keys.iter().map(move |key| ValueKey(dot_path::get_as(json, key, literal).unwrap_or(&Value::Undefined)))
    }
}

impl PartialEq for Row<'_> {
    fn eq(&self, other: &Row<'_>) -> bool {
        self.values().eq(other.values())
    }
}

impl Eq for Row<'_> {}

impl Hash for Row<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values().for_each(|value| value.hash(state));
    }
}
