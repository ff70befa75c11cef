//! Cursor pages: `{ "data": [...], "nextCursor": "…" | null }`, newest first, stable while rows are added.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub data: Vec<T>,
    /// Give it back as `cursor` to read the next page; null on the last one.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// Builds a page from at most `limit + 1` rows in page order: the extra row only tells that there is more.
    pub fn from_rows<R>(mut rows: Vec<R>, limit: u64, id: impl Fn(&R) -> Uuid, map: impl FnMut(R) -> T) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if has_more { rows.last().map(|row| Cursor(id(row))) } else { None };
        Page { data: rows.into_iter().map(map).collect(), next_cursor }
    }

    /// The same page with other rows.
    pub fn map<U>(self, map: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(map).collect(), next_cursor: self.next_cursor }
    }
}

/// A place in a list: the id of the last row seen, opaque to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "AYkKXayWd0u8zrMCCZqAVw")]
pub struct Cursor(Uuid);

impl Cursor {
    pub fn after(id: Uuid) -> Cursor {
        Cursor(id)
    }

    /// Rows of the next page have ids below this one.
    pub fn id(self) -> Uuid {
        self.0
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cursor, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
        id.map(Cursor).ok_or_else(|| serde::de::Error::custom("not a cursor given by this server"))
    }
}

/// The query of every list without filters of its own.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Rows per page, 1–250.
    #[param(minimum = 1, maximum = 250, default = 100, example = 20)]
    pub limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or_default().get()
    }
}

/// Rows per page: 1–250, 100 when not given (n8n's public API has the same bounds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = u64, minimum = 1, maximum = 250, default = 100)]
pub struct Limit(u64);

impl Limit {
    pub const MAX: u64 = 250;

    /// None outside of 1–250.
    pub fn new(rows: u64) -> Option<Limit> {
        (1..=Limit::MAX).contains(&rows).then_some(Limit(rows))
    }

    pub fn get(self) -> u64 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Limit {
        Limit(100)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Limit, D::Error> {
        let limit = u64::deserialize(deserializer)?;
        if (1..=Limit::MAX).contains(&limit) {
            Ok(Limit(limit))
        } else {
            Err(serde::de::Error::custom("must be between 1 and 250"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_begins() {
        let rows: Vec<Uuid> = std::iter::repeat_with(Uuid::now_v7).take(3).collect();
        let page = Page::from_rows(rows.clone(), 2, |id| *id, |id| id);
        assert_eq!((page.data.len(), page.next_cursor), (2, Some(Cursor(rows[1]))));
        let last = Page::from_rows(rows, 3, |id| *id, |id| id);
        assert_eq!(last.next_cursor, None);
    }

    #[test]
    fn cursors_survive_the_wire_and_forgeries_do_not() {
        let cursor = Cursor(Uuid::now_v7());
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
        for forged in [r#""""#, r#""abc""#, r#""****""#, "1"] {
            assert!(serde_json::from_str::<Cursor>(forged).is_err(), "{forged}");
        }
    }

    #[test]
    fn limits_are_bounded() {
        for (json, accepted) in [("0", false), ("1", true), ("250", true), ("251", false), ("-1", false)] {
            assert_eq!(serde_json::from_str::<Limit>(json).is_ok(), accepted, "{json}");
        }
    }
}
