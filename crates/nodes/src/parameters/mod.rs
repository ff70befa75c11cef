//! Which parameters a node has and which values they take: defaults filled in, hidden ones left out.
//! Values are never evaluated here; expressions stay as written.

mod display;
mod from_ai;
#[cfg(test)]
mod tests;

pub use display::display_parameter;

use millrace_model::{Node, Object, Value};

use crate::description::{Description, Kind, Properties, Property, Variant};
use crate::lenient;

/// All parameters that show for this node, with their defaults.
pub fn with_defaults(description: &Description, node: &Node) -> Object {
    let variant = description.variant(node.version);
    let wanted = Wanted { defaults: true, hidden: false };
    let meant = lenient::parameters(node);
    let given = meant.as_ref().unwrap_or(&node.parameters);
    get_node_parameters(&variant.properties, given, wanted, Some(node.version), Some(variant))
}

/// Which parameters [`get_node_parameters`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Also those that have their default value.
    pub defaults: bool,
    /// Also those whose display options hide them.
    pub hidden: bool,
}

/// The values of a list of parameters.
///
/// `values` are those the node has; `version` and `variant` are what `@version`, `@tool` and `@feature` look at.
pub fn get_node_parameters(
    properties: &Properties,
    values: &Object,
    wanted: Wanted,
    version: Option<f64>,
    variant: Option<&Variant>,
) -> Object {
    Walk { wanted, version, variant, root: None }.parameters(properties, values, Depth::Whole, false)
}

/// The fixed part of a walk through nested lists of parameters.
#[derive(Clone, Copy)]
struct Walk<'a> {
    wanted: Wanted,
    version: Option<f64>,
    variant: Option<&'a Variant>,
    /// The node's own parameters, which `/path` looks at; `None` while they are being made.
    root: Option<&'a Object>,
}

#[derive(Clone, Copy, PartialEq)]
enum Depth {
    /// Collections too.
    Whole,
    /// Only parameters without an inside: enough to decide what shows.
    Simple,
}

impl Walk<'_> {
    fn parameters(self, properties: &Properties, values: &Object, depth: Depth, in_collection: bool) -> Object {
        let mut full = Object::with_capacity(properties.list.len());
        let shown_by = if depth == Depth::Whole && !self.wanted.hidden {
            let all = Walk { wanted: Wanted { defaults: true, hidden: true }, ..self };
            Some(all.parameters(properties, values, Depth::Simple, in_collection))
        } else {
            None
        };
        let mut found = Object::with_capacity(properties.list.len());
        for property in properties.order.iter().filter_map(|at| properties.list.get(*at)) {
            let given = values.get(&property.name).filter(|value| !value.is_undefined());
            if given.is_none() && (!self.wanted.defaults || in_collection) {
                continue;
            }
            let seen = shown_by.as_ref().unwrap_or(&full);
            let root = self.root.unwrap_or(seen);
            let shows = || display_parameter(seen, property, self.version, self.variant, root);
            let chosen_by_display =
                !self.wanted.hidden || (property.is_simple() && properties.repeated.contains(&property.name));
            if chosen_by_display && !shows() {
                continue;
            }
            let value = if property.is_simple() {
                self.simple(property, given, in_collection)
            } else if depth == Depth::Simple {
                None
            } else {
                Walk { root: Some(root), ..self }.nested(property, given)
            };
            if let Some(value) = value {
                if shown_by.is_none() {
                    full.insert(property.name.clone(), value.clone());
                }
                found.insert(property.name.clone(), value);
            }
        }
        found
    }

    fn simple(self, property: &Property, given: Option<&Value>, in_collection: bool) -> Option<Value> {
        let given = given.map(|value| property.without_expression(value));
        if self.wanted.defaults {
            return Some(match (&property.kind, given) {
                (Kind::Scalar | Kind::ResourceLocator, Some(value)) => value,
                (Kind::Filter, value) => complete_filter(
                    &value.filter(|value| !value.is_nullish()).unwrap_or_else(|| property.default.clone()),
                ),
                (_, Some(value)) if !value.is_nullish() => value,
                (Kind::ResourceLocator, None) if matches!(property.default, Value::Object(_)) => {
                    let mut locator = Object::from([("__rl", Value::Bool(true))]);
                    for (key, value) in property.default.as_object().into_iter().flat_map(Object::iter) {
                        locator.insert(key.clone(), value.clone());
                    }
                    locator.into()
                }
                _ => property.default.clone(),
            });
        }
        given.filter(|value| in_collection || *value != property.default)
    }

    fn nested(self, property: &Property, given: Option<&Value>) -> Option<Value> {
        match &property.kind {
            Kind::Collection(fields) => self.collection(property, fields, given),
            Kind::FixedCollection(groups) => self.fixed_collection(property, groups, given),
            _ => None,
        }
    }

    fn collection(self, property: &Property, fields: &Properties, given: Option<&Value>) -> Option<Value> {
        match given {
            Some(value) if property.multiple == Some(true) => Some(value.clone()),
            Some(Value::Object(value)) => Some(self.parameters(fields, value, Depth::Whole, true).into()),
            Some(_) => Some(Object::new().into()),
            None if !self.wanted.defaults => None,
            None if property.multiple == Some(true) && property.default.as_array().is_none() => Some(Value::array([])),
            None => Some(property.default.clone()),
        }
    }

    fn fixed_collection(
        self,
        property: &Property,
        groups: &[(millrace_model::Str, Properties)],
        given: Option<&Value>,
    ) -> Option<Value> {
        let source = match given {
            Some(value) => value,
            None => &property.default,
        };
        let Value::Object(source) = source else { return self.wanted.defaults.then(|| Object::new().into()) };
        let mut found = Object::new();
        for (name, value) in source.iter() {
            let Some((_, fields)) = groups.iter().find(|(group, _)| group == name) else { continue };
            match value {
                Value::Array(list) if property.multiple == Some(true) => {
                    let rows = list.iter().map(|row| self.group(fields, row).into());
                    found.insert(name.clone(), Value::array(rows));
                }
                _ if property.multiple == Some(true) => {}
                value => {
                    let inner = self.group(fields, value);
                    // A group that somebody added stays, even if all its fields have their defaults.
                    if !inner.is_empty() || (!self.wanted.defaults && fields.all_default(value)) {
                        found.insert(name.clone(), inner);
                    }
                }
            }
        }
        (!found.is_empty() || self.wanted.defaults).then(|| found.into())
    }

    fn group(self, fields: &Properties, value: &Value) -> Object {
        match value {
            Value::Object(value) => self.parameters(fields, value, Depth::Whole, false),
            value if value.is_nullish() => Object::new(),
            _ => self.parameters(fields, &Object::new(), Depth::Whole, false),
        }
    }
}

/// A filter value with the parts that n8n fills in where they are missing.
fn complete_filter(value: &Value) -> Value {
    let Value::Object(value) = value else { return value.clone() };
    let mut options = Object::from([
        ("caseSensitive", true.into()),
        ("leftValue", "".into()),
        ("typeValidation", "strict".into()),
        ("version", 1.into()),
    ]);
    let missing = ["conditions", "combinator", "options"].iter().any(|key| !value.contains_key(key));
    let given = value.get("options").and_then(Value::as_object);
    let complete = given.is_some_and(|given| options.keys().all(|key| given.contains_key(key)));
    if complete && !missing {
        return value.clone().into();
    }
    for (key, option) in given.into_iter().flat_map(Object::iter) {
        options.insert(key.clone(), option.clone());
    }
    let mut filled = value.clone();
    filled.insert("options", options);
    for (key, default) in [("conditions", Value::array([])), ("combinator", "and".into())] {
        if !filled.contains_key(key) {
            filled.insert(key, default);
        }
    }
    filled.into()
}

impl Properties {
    /// Does every given field have its default?
    fn all_default(&self, given: &Value) -> bool {
        given
            .as_object()
            .into_iter()
            .flat_map(Object::iter)
            .all(|(name, value)| self.list.iter().any(|property| property.name == *name && property.default == *value))
    }
}

impl Property {
    fn is_simple(&self) -> bool {
        !matches!(self.kind, Kind::Collection(_) | Kind::FixedCollection(_))
    }

    /// The value, without the `=` of an expression where none may stand.
    fn without_expression(&self, value: &Value) -> Value {
        match value.as_str().and_then(|text| text.strip_prefix('=')) {
            Some(literal) if self.no_expression && !from_ai::is_call(literal) => literal.into(),
            _ => value.clone(),
        }
    }
}
