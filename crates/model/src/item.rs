//! Items: what flows between nodes.

use serde::{Deserialize, Serialize};

use crate::{Binaries, Object, Value};

/// One item: its JSON, its binaries, and where it came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// An object in well-formed items.
    #[serde(default)]
    pub json: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<Binaries>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired_item: Option<PairedItem>,
    /// Error of this item, where the node went on after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

    /// Says that this item was made from item `index` of the node's first input.
    #[must_use]
    pub fn paired(mut self, index: usize) -> Item {
        self.paired_item = Some(PairedItem::One(PairedRef::item(index)));
        self
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
