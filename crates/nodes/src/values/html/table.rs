//! Items as an HTML table.

use std::fmt::Write as _;

use indexmap::IndexSet;
use millrace_model::{Item, Object, PairedItem, PairedRef, Str, Value, truthy};

use crate::{NodeContext, NodeResult, Output};

const TABLE: &str = "style='border-spacing:0; font-family:helvetica,arial,sans-serif'";
const HEADER: &str = "style='margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee; text-align:left; \
                      color:#888; font-weight:normal'";
const CELL: &str = "style='margin:0; padding:7px 20px 7px 0px; border-bottom:1px solid #eee'";

pub(super) fn of_items(context: &mut NodeContext<'_>) -> NodeResult {
    let options = context.parameter("options", 0)?;
    let text =
        |name: &str| options.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default();
    let plain = options.get("customStyling").is_some_and(truthy);
    let style = |style: &'static str| if plain { "" } else { style };
    let items = context.items();
    let fields: IndexSet<&Str> = items.iter().filter_map(|item| item.json.as_object()).flat_map(Object::keys).collect();
    let capitalize = options.get("capitalize").is_some_and(truthy);
    let mut table = format!("<table {} {}>", style(TABLE), text("tableAttributes"));
    if !text("caption").is_empty() {
        let _ = write!(table, "<caption>{}</caption>", text("caption"));
    }
    let _ = write!(table, "<thead {} {}><tr>", style(HEADER), text("headerAttributes"));
    for field in &fields {
        let _ = write!(table, "<th>{}</th>", heading(field, capitalize));
    }
    table.push_str("</tr></thead><tbody>");
    for item in items {
        let _ = write!(table, "<tr  {}>", text("rowAttributes"));
        for field in &fields {
            let _ = write!(table, "<td {} {}>", style(CELL), text("cellAttributes"));
            match item.json.get(field) {
                Some(Value::Bool(checked)) => {
                    let mark = if *checked { "checked=\"checked\"" } else { "" };
                    let _ = write!(table, "<input type=\"checkbox\" {mark}/>");
                }
                Some(value) => table.push_str(&value.to_js_string()),
                None => table.push_str("undefined"),
            }
            table.push_str("</td>");
        }
        table.push_str("</tr>");
    }
    table.push_str("</tbody></table>");
    let links = (0..items.len()).map(|at| PairedItem::One(PairedRef::item(at))).collect();
    let json = Object::from([("table", table.into())]);
    Ok(Output::items([Item { paired_item: Some(PairedItem::Many(links)), ..Item::new(json) }]))
}

/// A field name as a heading: `first_name` becomes `First Name` when capitals are wanted.
fn heading(field: &str, capitalize: bool) -> String {
    if !capitalize {
        return field.to_owned();
    }
    let words = field.split('_').filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}
