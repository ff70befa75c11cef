//! Items: what flows between nodes.

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Binaries, Object, Value, to_index};

/// One item: its JSON, its binaries, and where it came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// An object in well-formed items.
    pub json: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binary: Option<Binaries>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired_item: Option<PairedItem>,
    /// Error of this item, where the node went on after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// Other keys a Code node put beside `json` (such as `index`).
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Object>,
}

impl Item {
    pub fn new(json: impl Into<Value>) -> Item {
        Item { json: json.into(), ..Item::default() }
    }

    /// The item `{"json": {}}`.
    pub fn empty() -> Item {
        Item::new(Object::new())
    }

    /// An item as documents hold it: `{"json": {…}, …}`, or bare JSON that becomes the item's `json`.
    pub fn from_value(value: &Value) -> Item {
        match value {
            Value::Object(fields) if matches!(fields.get("json"), Some(Value::Object(_))) => Item::from_fields(fields),
            other => Item::new(other.clone()),
        }
    }

    fn from_fields(fields: &Object) -> Item {
        let (mut item, mut extra) = (Item::default(), Object::new());
        for (key, value) in fields.iter().filter(|(_, value)| !value.is_undefined()) {
            match key.as_str() {
                "json" => item.json = value.clone(),
                "binary" => item.binary = serde_json::from_str(&value.to_json()).ok(),
                "pairedItem" => item.paired_item = PairedItem::from_value(value),
                "error" => item.error = Some(value.clone()),
                _ => {
                    extra.insert(key.clone(), value.clone());
                }
            }
        }
        item.extra = (!extra.is_empty()).then_some(extra);
        item
    }

    /// Says that this item was made from item `index` of the node's first input.
    #[must_use]
    pub fn paired(mut self, index: usize) -> Item {
        self.paired_item = Some(PairedItem::One(PairedRef::item(index)));
        self
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Item, D::Error> {
        Object::deserialize(deserializer).map(|fields| Item::from_fields(&fields))
    }
}

/// Which input items an item was made from, in the shapes n8n writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PairedItem {
    Index(u32),
    One(PairedRef),
    Many(Vec<PairedItem>),
}

impl PairedItem {
    /// A reference as documents hold it; `None` for what is no reference.
    pub fn from_value(value: &Value) -> Option<PairedItem> {
        let index = |value: &Value| u32::try_from(to_index(value.as_f64()?)?).ok();
        match value {
            Value::Number(_) => index(value).map(PairedItem::Index),
            Value::Object(fields) => Some(PairedItem::One(PairedRef {
                item: fields.get("item").and_then(index)?,
                input: fields.get("input").and_then(index),
                source_overwrite: fields.get("sourceOverwrite").filter(|value| !value.is_nullish()).cloned(),
            })),
            Value::Array(values) => Some(PairedItem::Many(values.iter().filter_map(PairedItem::from_value).collect())),
            _ => None,
        }
    }

    /// All references, flattened.
    pub fn refs(&self) -> Vec<PairedRef> {
        match self {
            PairedItem::Index(index) => vec![PairedRef { item: *index, ..PairedRef::default() }],
            PairedItem::One(one) => vec![one.clone()],
            PairedItem::Many(many) => many.iter().flat_map(PairedItem::refs).collect(),
        }
    }
}

/// One reference to an input item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PairedRef {
    pub item: u32,
    /// Index of the input; 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<u32>,
    /// Source that replaces the node's own (items that come out of a sub-workflow).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_overwrite: Option<Value>,
}

impl PairedRef {
    pub fn item(index: usize) -> PairedRef {
        PairedRef { item: u32::try_from(index).unwrap_or(u32::MAX), ..PairedRef::default() }
    }

    #[must_use]
    pub fn of_input(mut self, input: usize) -> PairedRef {
        self.input = u32::try_from(input).ok();
        self
    }
}
