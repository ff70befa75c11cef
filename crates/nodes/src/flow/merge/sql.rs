//! SQL over the inputs: each input is a table (`input1`, `input2`, …) of an SQLite database in memory that lives for one
//! query. It can read these tables and nothing else; time, rows and memory are bounded.

mod database;
mod division;
mod guard;
mod links;

use futures_executor::block_on;
use millrace_model::{ExecutionError, Item, Object, PairedItem, Value};

use super::input_count;
use crate::{NodeContext, NodeResult, Output};
use database::{Database, Row};
use links::Links;

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let query = query(context)?;
    let inputs: Vec<&[Item]> = (0..input_count(context.parameters)).map(|input| context.input(input)).collect();
    let links = Links::of(&query, inputs.len());
    // Nothing here waits for anything but the database's own thread.
    let rows = block_on(async {
        let mut database = Database::of(&inputs).await?;
        // Asked for together with the places of what it comes from, where SQL allows it.
        match links.query() {
            Some(linked) => match database.rows(linked).await {
                Ok(rows) => Ok(rows),
                Err(_) => database.rows(&query).await,
            },
            None => database.rows(&query).await,
        }
    })?;
    let all = || inputs.iter().flat_map(|items| items.iter()).filter_map(|item| item.paired_item.clone()).collect();
    let made = rows.into_iter().map(|Row { mut json, sources }| {
        let item = |(input, at): &(usize, usize)| inputs.get(*input)?.get(*at);
        // The database does not tell what is null in an item from what an item lacks.
        let is_null =
            |name: &str| sources.iter().filter_map(item).any(|item| item.json.get(name) == Some(&Value::Null));
        json.retain(|name, value| *value != Value::Null || is_null(name));
        let source = |place: &(usize, usize)| item(place)?.paired_item.clone();
        let linked: Vec<PairedItem> = match (&links, sources.as_slice()) {
            (Links::None, _) => Vec::new(),
            (_, []) => all(),
            (Links::Star, sources) => sources.last().and_then(source).into_iter().collect(),
            (_, sources) => sources.iter().filter_map(source).collect(),
        };
        Item { paired_item: Some(PairedItem::Many(linked)), ..Item::new(json) }
    });
    Ok(Output::items(made))
}

/// The query, its `{{ … }}` resolved, with AlaSQL's way of reading a field of an object (`n->field`) in SQLite's.
fn query(context: &mut NodeContext<'_>) -> Result<String, ExecutionError> {
    let written = context.prepare("query").raw().to_js_string();
    let template = if written.starts_with('=') { written.to_string() } else { format!("={written}") };
    let text = context.resolve(&template.into(), 0)?.to_js_string();
    if text.trim().is_empty() {
        return Err(failed("The query is empty"));
    }
    let mut query = String::with_capacity(text.len());
    let mut rest = text.as_str();
    let mut quoted = false;
    while let Some((before, after)) = rest.split_once("->") {
        quoted ^= before.matches('\'').count() % 2 == 1;
        query.push_str(before);
        let name: String = after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        let behind = after.strip_prefix(name.as_str()).unwrap_or(after);
        if quoted || name.is_empty() {
            query.push_str("->");
            rest = after;
        } else {
            query.push_str(&format!("->>'{name}'"));
            rest = behind;
        }
    }
    query.push_str(rest);
    Ok(division::exact(&query))
}

fn failed(reason: impl Into<millrace_model::Str>) -> ExecutionError {
    ExecutionError::operation("Issue while executing query").describe(reason)
}

/// A field for each column: a later column of the same name wins unless it is null.
fn fields(columns: impl Iterator<Item = (millrace_model::Str, Value)>) -> Object {
    let mut object = Object::new();
    for (name, value) in columns {
        if value != Value::Null || !object.contains_key(&name) {
            object.insert(name, value);
        }
    }
    object
}
