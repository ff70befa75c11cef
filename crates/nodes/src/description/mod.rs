//! Descriptions of node types, parsed from the JSON beside their code. A type whose parameters differ much between
//! versions lists `variants`; each overrides the common fields for the versions it names.

mod display;
mod property;

pub(crate) use display::{Condition, DisplayRule, Subject, evaluate_tests};
pub use property::{Kind, Properties, Property};

use millrace_model::{Object, Value};

use crate::{NodeType, Ports, RequiredInputs};

/// A parsed description.
#[derive(Debug)]
pub struct Description {
    versions: Vec<f64>,
    /// At least one; each names its versions.
    variants: Vec<Variant>,
}

/// The description of some versions of a node type.
#[derive(Debug)]
pub struct Variant {
    /// In n8n's description shape, as the API gives it.
    pub document: Object,
    pub versions: Vec<f64>,
    pub properties: Properties,
    /// Feature name to the versions that have it (`@feature` in display options).
    pub(crate) features: Vec<(millrace_model::Str, DisplayRule)>,
}

impl Description {
    /// Parses the description of a built-in type. What is malformed is left out; the registry's tests refuse it.
    pub(crate) fn of(node_type: &NodeType) -> Description {
        let document = Value::from_json(node_type.description).unwrap_or_default();
        Description::parse(&document.as_object().cloned().unwrap_or_default())
    }

    /// Parses a description document.
    pub fn parse(document: &Object) -> Description {
        let mut common = document.clone();
        let variants: Vec<Variant> = match common.remove("variants") {
            Some(Value::Array(list)) => list
                .iter()
                .filter_map(Value::as_object)
                .map(|overrides| {
                    let mut merged = common.clone();
                    for (key, value) in overrides.iter() {
                        merged.insert(key.clone(), value.clone());
                    }
                    Variant::parse(merged)
                })
                .collect(),
            _ => vec![Variant::parse(common)],
        };
        let mut versions: Vec<f64> = variants.iter().flat_map(|variant| variant.versions.iter().copied()).collect();
        versions.sort_by(f64::total_cmp);
        Description { versions, variants }
    }

    /// Versions that workflows may name, ascending.
    pub fn versions(&self) -> &[f64] {
        &self.versions
    }

    /// The variants, in the order written.
    pub fn variants(&self) -> &[Variant] {
        &self.variants
    }

    /// The variant for a version; for an unknown version the one of the newest version.
    pub fn variant(&self, version: f64) -> &Variant {
        let newest = self.versions.last().copied().unwrap_or(1.0);
        let naming = |version: f64| self.variants.iter().find(|variant| variant.versions.contains(&version));
        match naming(version).or_else(|| naming(newest)).or_else(|| self.variants.first()) {
            Some(variant) => variant,
            None => empty_variant(),
        }
    }
}

impl Variant {
    pub(crate) fn parse(document: Object) -> Variant {
        let versions = match document.get("version") {
            Some(Value::Array(versions)) => versions.iter().filter_map(Value::as_f64).collect(),
            Some(Value::Number(version)) => vec![*version],
            _ => vec![1.0],
        };
        let properties = Properties::parse(document.get("properties").unwrap_or(&Value::Null));
        let features = document.get("features").and_then(Value::as_object);
        let features = features.into_iter().flat_map(Object::iter);
        let features = features.map(|(name, rule)| (name.clone(), DisplayRule::parse(rule))).collect();
        Variant { document, versions, properties, features }
    }

    /// Does the node look for news at the times of its parameter `pollTimes`?
    pub fn polls(&self) -> bool {
        self.document.get("polling") == Some(&Value::Bool(true))
    }

    /// Is the node meant to be called by an AI agent?
    pub fn is_tool(&self) -> bool {
        self.document.get("name").and_then(Value::as_str).is_some_and(|name| name.ends_with("Tool"))
    }

    /// Inputs and outputs as listed.
    pub fn ports(&self) -> Ports {
        let count = |key: &str| self.document.get(key).and_then(Value::as_array).map_or(1, <[Value]>::len);
        let required = match self.document.get("requiredInputs") {
            Some(Value::Number(least)) => RequiredInputs::AtLeast(millrace_model::to_index(*least).unwrap_or_default()),
            Some(Value::Array(these)) => RequiredInputs::These(
                these.iter().filter_map(Value::as_f64).filter_map(millrace_model::to_index).collect(),
            ),
            _ => RequiredInputs::Unstated,
        };
        Ports { inputs: count("inputs"), outputs: count("outputs"), required }
    }
}

fn empty_variant() -> &'static Variant {
    static EMPTY: std::sync::LazyLock<Variant> = std::sync::LazyLock::new(|| Variant::parse(Object::new()));
    &EMPTY
}
