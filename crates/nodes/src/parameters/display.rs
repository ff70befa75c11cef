//! Does a parameter show?

use millrace_model::{Object, Value};

use crate::description::{Condition, DisplayRule, Property, Subject, Variant, evaluate_tests};

/// Whether the display options of a parameter let it show.
///
/// `values` are the parameters beside it, `root` those of the node (for `/path`); `version` and `variant` are what
/// `@version`, `@tool` and `@feature` look at.
pub fn display_parameter(
    values: &Object,
    property: &Property,
    version: Option<f64>,
    variant: Option<&Variant>,
    root: &Object,
) -> bool {
    let view = View { values, version, variant, root };
    property.show.as_ref().is_none_or(|rule| rule.conditions.iter().all(|condition| view.shows(condition)))
        && !property.hide.as_ref().is_some_and(|rule| rule.conditions.iter().any(|condition| view.hides(condition)))
}

struct View<'a> {
    values: &'a Object,
    version: Option<f64>,
    variant: Option<&'a Variant>,
    root: &'a Object,
}

impl View<'_> {
    fn shows(&self, condition: &Condition) -> bool {
        let values = self.subject(&condition.subject);
        // Nobody knows yet what an expression will give: the parameter shows.
        let expression = values.iter().any(|value| value.as_str().is_some_and(|text| text.starts_with('=')));
        expression || evaluate_tests(&condition.any_of, &values)
    }

    fn hides(&self, condition: &Condition) -> bool {
        let values = self.subject(&condition.subject);
        !values.is_empty() && evaluate_tests(&condition.any_of, &values)
    }

    /// The values a condition looks at: several where the parameter holds a list.
    fn subject(&self, subject: &Subject) -> Vec<Value> {
        let found = match subject {
            Subject::Sibling(path) => lookup(self.values, path),
            Subject::Root(path) => lookup(self.root, path),
            Subject::Version => Value::Number(self.version.unwrap_or(0.0)),
            Subject::Tool => Value::Bool(self.variant.is_some_and(Variant::is_tool)),
            Subject::Feature => Value::array(self.features()),
        };
        match found {
            Value::Array(values) => values.to_vec(),
            Value::Object(locator) if locator.contains_key("__rl") => {
                vec![locator.get("value").cloned().unwrap_or_default()]
            }
            value => vec![value],
        }
    }

    /// Names of the features that this version has.
    fn features(&self) -> impl Iterator<Item = Value> {
        let features = self.variant.map_or(&[][..], |variant| &variant.features);
        features
            .iter()
            .filter(|(_, rule): &&(_, DisplayRule)| rule.conditions.iter().all(|condition| self.shows(condition)))
            .map(|(name, _)| name.clone().into())
    }
}

/// The value at a dotted path; `Undefined` where there is none.
fn lookup(values: &Object, path: &str) -> Value {
    let found = match path.split_once('.') {
        None => values.get(path),
        Some((first, rest)) => values.get(first).and_then(|value| value.pointer(rest)),
    };
    found.cloned().unwrap_or_default()
}
