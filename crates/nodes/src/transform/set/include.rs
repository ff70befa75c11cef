//! What of the input stays in an item, and how field names are read.

use millrace_model::{ExecutionError, Item, Object, Str, Value, truthy};

use crate::{NodeContext, Prepared, dot_path};

/// The parameters around the fields, prepared.
pub(super) struct Frame {
    version: f64,
    options: Prepared,
    include: Prepared,
    include_others: Prepared,
    included: Prepared,
    excluded: Prepared,
    /// The options, where they are the same for all items.
    fixed: Option<Options>,
}

/// The options for one item.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) ignore_conversion_errors: bool,
    dot_notation: bool,
    binary: bool,
    include: Include,
}

#[derive(Clone, Copy, PartialEq)]
enum Include {
    All,
    None,
    Selected,
    Except,
}

impl Frame {
    pub(super) fn new(context: &NodeContext<'_>) -> Frame {
        let mut frame = Frame {
            version: context.version(),
            options: context.prepare("options"),
            include: context.prepare("include"),
            include_others: context.prepare("includeOtherFields"),
            included: context.prepare("includeFields"),
            excluded: context.prepare("excludeFields"),
            fixed: None,
        };
        let constants = (frame.options.constant(), frame.include.constant(), frame.include_others.constant());
        if let (Some(options), Some(include), Some(others)) = constants {
            frame.fixed = Some(Options::read(options, include, others, frame.version));
        }
        frame
    }

    pub(super) fn options(&self, context: &mut NodeContext<'_>, at: usize) -> Result<Options, ExecutionError> {
        if let Some(fixed) = &self.fixed {
            return Ok(fixed.clone());
        }
        let options = self.options.at(context, at)?;
        let include = self.include.at(context, at)?;
        let others = self.include_others.at(context, at)?;
        Ok(Options::read(&options, &include, &others, self.version))
    }

    /// A new item with what stays of the input item.
    pub(super) fn begin(
        &self,
        context: &mut NodeContext<'_>,
        options: &Options,
        (at, item): (usize, &Item),
    ) -> Result<Item, ExecutionError> {
        let json = match options.include {
            Include::None => Value::from(Object::new()),
            Include::All => object(&item.json).into(),
            Include::Selected => {
                let mut kept = Object::new();
                for field in names(&self.included.text(context, at)?) {
                    let value = options.read_field(&item.json, field).cloned().unwrap_or_default();
                    let last = if options.dot_notation { field.rsplit('.').next().unwrap_or(field) } else { field };
                    options.write(&mut kept, last, value)?;
                }
                kept.into()
            }
            Include::Except => {
                let mut kept = object(&item.json);
                for field in names(&self.excluded.text(context, at)?) {
                    options.remove(&mut kept, field);
                }
                kept.into()
            }
        };
        let binary = item.binary.clone().filter(|_| options.binary);
        Ok(Item { binary, ..Item::new(json).paired(at) })
    }
}

impl Options {
    fn read(options: &Value, include: &Value, others: &Value, version: f64) -> Options {
        let flag = |key: &str| options.get(key).is_some_and(truthy);
        let include = match include.as_str() {
            _ if version >= 3.3 && !truthy(others) => Include::None,
            Some("all") => Include::All,
            Some("selected") => Include::Selected,
            Some("except") => Include::Except,
            _ => Include::None,
        };
        let binary =
            if version >= 3.4 { !flag("stripBinary") && include != Include::None } else { flag("includeBinary") };
        Options {
            ignore_conversion_errors: flag("ignoreConversionErrors"),
            dot_notation: options.get("dotNotation") != Some(&Value::Bool(false)),
            binary,
            include,
        }
    }

    /// Sets a field of an item.
    pub(super) fn write(&self, json: &mut Object, name: &str, value: Value) -> Result<(), ExecutionError> {
        dot_path::set_as(json, literal_name(json, name), value, !self.dot_notation)
    }

    fn read_field<'v>(&self, json: &'v Value, name: &str) -> Option<&'v Value> {
        let name = json.as_object().map_or(name, |object| literal_name(object, name));
        dot_path::get_as(json, name, !self.dot_notation)
    }

    fn remove(&self, json: &mut Object, name: &str) {
        let name = literal_name(json, name);
        if self.dot_notation {
            dot_path::unset(json, name);
        } else {
            json.remove(name);
        }
    }
}

/// The field that `["name"]` or `['name']` stands for, if the item has it; else the name as it is.
fn literal_name<'n>(json: &Object, name: &'n str) -> &'n str {
    if json.contains_key(name) {
        return name;
    }
    let bare = [("['", "']"), ("[\"", "\"]")]
        .iter()
        .find_map(|(open, close)| name.strip_prefix(open)?.strip_suffix(close))
        .filter(|bare| json.contains_key(bare));
    bare.unwrap_or(name)
}

/// The names in a comma-separated list.
fn names(list: &Str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn object(json: &Value) -> Object {
    json.as_object().cloned().unwrap_or_default()
}
