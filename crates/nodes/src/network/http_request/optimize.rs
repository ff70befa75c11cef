//! "Optimize Response": less of an answer goes on: some fields of JSON, a part of a page, the beginning of a text. For those
//! who pay by what they read, such as language models.

use millrace_model::{ExecutionError, Object, Str, Value, to_index};
use scraper::Selector;

use crate::values::html::document;
use crate::{NodeContext, dot_path};

#[derive(Clone, Debug)]
pub(super) enum Optimize {
    /// Elements of the field (of the whole answer where it is empty), with or without some of their fields.
    Json {
        field: Str,
        fields: Fields,
    },
    /// Elements of a page: their markup, or their text without what is left out.
    Html {
        selector: Selector,
        without: Option<Vec<Selector>>,
        longest: Option<usize>,
    },
    Text {
        longest: Option<usize>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Fields {
    All,
    Only(Vec<Str>),
    Except(Vec<Str>),
}

impl Optimize {
    /// What the parameters ask for.
    pub(super) fn read(context: &mut NodeContext<'_>, item: usize) -> Result<Option<Optimize>, ExecutionError> {
        if !context.flag("optimizeResponse", item)? {
            return Ok(None);
        }
        let kind = context.text("responseType", item)?;
        let longest = if context.flag("truncateResponse", item)? {
            Some(context.number("maxLength", item)?.and_then(to_index).unwrap_or(1000))
        } else {
            None
        };
        Ok(Some(match kind.as_str() {
            "html" => {
                let without = if context.flag("onlyContent", item)? {
                    Some(
                        listed(&context.text("elementsToOmit", item)?)
                            .iter()
                            .map(|text| selector(text))
                            .collect::<Result<_, _>>()?,
                    )
                } else {
                    None
                };
                Optimize::Html { selector: selector(&context.text("cssSelector", item)?)?, without, longest }
            }
            "text" => Optimize::Text { longest },
            _ => {
                let names = listed(&context.text("fields", item)?);
                let fields = match context.text("fieldsToInclude", item)?.as_str() {
                    "selected" => Fields::Only(names),
                    "except" => Fields::Except(names),
                    _ => Fields::All,
                };
                Optimize::Json { field: context.text("dataField", item)?, fields }
            }
        }))
    }

    /// What is left of a text.
    pub(super) fn text(&self, text: Value) -> Result<Value, ExecutionError> {
        let given = text.as_str().unwrap_or_default();
        let (left, longest) = match self {
            Optimize::Json { .. } => return Ok(text),
            Optimize::Text { longest } => (given.to_owned(), longest),
            Optimize::Html { selector, without, longest } => (page(given, selector, without.as_deref())?, longest),
        };
        Ok(left.chars().take(longest.unwrap_or(usize::MAX)).collect::<String>().into())
    }

    /// What is left of JSON.
    pub(super) fn json(&self, json: Value) -> Result<Value, ExecutionError> {
        match self {
            Optimize::Html { .. } | Optimize::Text { .. } => Ok(json),
            Optimize::Json { field, fields } => {
                let found = if field.is_empty() { &json } else { dot_path::get(&json, field).unwrap_or(&json) };
                match found {
                    Value::Array(values) => {
                        let values: Result<Vec<Value>, _> = values.iter().map(|value| fields.of(value)).collect();
                        values.map(Value::from)
                    }
                    value => fields.of(value),
                }
            }
        }
    }
}

impl Fields {
    fn of(&self, value: &Value) -> Result<Value, ExecutionError> {
        let Value::Object(object) = value else { return Ok(value.clone()) };
        Ok(match self {
            Fields::All => value.clone(),
            Fields::Only(names) => {
                let mut kept = Object::new();
                for name in names {
                    if let Some(found) = dot_path::get(value, name) {
                        dot_path::set(&mut kept, name, found.clone())?;
                    }
                }
                kept.into()
            }
            Fields::Except(names) => {
                let mut kept = object.clone();
                kept.retain(|name, _| !names.iter().any(|other| other == name));
                kept.into()
            }
        })
    }
}

fn page(text: &str, wanted: &Selector, without: Option<&[Selector]>) -> Result<String, ExecutionError> {
    let document = document::parse(text)?;
    let found = document.select(wanted);
    let Some(without) = without else {
        return Ok(found.map(|element| element.html()).collect::<Vec<_>>().join("\n"));
    };
    let is_left_out = |node: &ego_tree::NodeRef<'_, scraper::Node>| {
        node.ancestors()
            .filter_map(scraper::ElementRef::wrap)
            .any(|around| without.iter().any(|left| left.matches(&around)))
    };
    let words = found.flat_map(|element| element.descendants()).filter(|node| !is_left_out(node));
    let words = words.filter_map(|node| node.value().as_text().map(|text| text.trim().to_owned()));
    Ok(words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" "))
}

fn selector(text: &str) -> Result<Selector, ExecutionError> {
    let text = if text.is_empty() { "body" } else { text };
    Selector::parse(text).map_err(|_| ExecutionError::operation(format!("The CSS selector \"{text}\" is not valid")))
}

fn listed(text: &str) -> Vec<Str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Str::from).collect()
}
