//! Parameters of a node type as its description lists them, prepared for filling in defaults.

use millrace_model::{Object, Str, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::display::DisplayRule;

/// A list of parameters with what is needed to walk it quickly.
#[derive(Debug, Default)]
pub struct Properties {
    pub list: Vec<Property>,
    /// Positions such that a parameter comes after those its display depends on.
    pub order: Vec<usize>,
    /// Names that occur more than once (their display options choose between them).
    pub repeated: FxHashSet<Str>,
}

/// One parameter.
#[derive(Debug)]
pub struct Property {
    pub name: Str,
    pub kind: Kind,
    /// `Undefined` where the description gives none.
    pub default: Value,
    pub show: Option<DisplayRule>,
    pub hide: Option<DisplayRule>,
    /// `typeOptions.multipleValues`, where it is said.
    pub multiple: Option<bool>,
    /// Expressions have no place here; a leading `=` is taken off.
    pub no_expression: bool,
}

/// What a parameter holds, as far as defaults depend on it.
#[derive(Debug)]
pub enum Kind {
    /// `boolean`, `number`, `options`: an explicit `null` stays.
    Scalar,
    ResourceLocator,
    /// Conditions; missing parts are filled in.
    Filter,
    /// Any other value that is taken as it is.
    Plain,
    /// Optional fields, each added by hand.
    Collection(Properties),
    /// Named groups of fields.
    FixedCollection(Vec<(Str, Properties)>),
}

impl Properties {
    /// Parses a `properties`, `options` or `values` list; entries that are no parameters are left out.
    pub fn parse(list: &Value) -> Properties {
        let entries = list.as_array().unwrap_or_default();
        let list: Vec<Property> = entries.iter().filter_map(Value::as_object).filter_map(Property::parse).collect();
        let mut seen = FxHashSet::default();
        let repeated =
            list.iter().filter(|property| !seen.insert(&property.name)).map(|property| property.name.clone());
        let repeated = repeated.collect();
        let order = dependency_order(&list);
        Properties { list, order, repeated }
    }
}

impl Property {
    pub fn parse(document: &Object) -> Option<Property> {
        let text = |key: &str| document.get(key).and_then(Value::as_str);
        let options = document.get("options").unwrap_or(&Value::Null);
        let kind = match text("type").unwrap_or_default() {
            "boolean" | "number" | "options" => Kind::Scalar,
            "resourceLocator" => Kind::ResourceLocator,
            "filter" => Kind::Filter,
            "collection" => Kind::Collection(Properties::parse(options)),
            "fixedCollection" => Kind::FixedCollection(
                options
                    .as_array()
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|group| {
                        let values = Properties::parse(group.get("values").unwrap_or(&Value::Null));
                        Some((Str::from(group.get("name")?.as_str()?), values))
                    })
                    .collect(),
            ),
            _ => Kind::Plain,
        };
        let rule = |key: &str| Some(DisplayRule::parse(document.get("displayOptions")?.get(key)?));
        Some(Property {
            name: text("name")?.into(),
            kind,
            default: document.get("default").cloned().unwrap_or_default(),
            show: rule("show"),
            hide: rule("hide"),
            multiple: document.get("typeOptions").and_then(|options| options.get("multipleValues")?.as_bool()),
            no_expression: document.get("noDataExpression").and_then(Value::as_bool).unwrap_or(false),
        })
    }
}

/// Positions with every parameter after those its display options name; a cycle keeps the order written.
fn dependency_order(list: &[Property]) -> Vec<usize> {
    let mut named: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (at, property) in list.iter().enumerate() {
        named.entry(&property.name).or_default().push(at);
    }
    let mut order = Vec::with_capacity(list.len());
    let mut state = vec![State::New; list.len()];
    for start in 0..list.len() {
        visit(start, list, &named, &mut state, &mut order);
    }
    order
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Entered,
}

fn visit(
    at: usize,
    list: &[Property],
    named: &FxHashMap<&str, Vec<usize>>,
    state: &mut [State],
    order: &mut Vec<usize>,
) {
    let (Some(property), Some(mark)) = (list.get(at), state.get_mut(at)) else { return };
    if std::mem::replace(mark, State::Entered) == State::Entered {
        return;
    }
    for name in property.show.iter().chain(&property.hide).flat_map(DisplayRule::siblings) {
        for dependency in named.get(name).into_iter().flatten().filter(|dependency| **dependency != at) {
            visit(*dependency, list, named, state, order);
        }
    }
    order.push(at);
}
