//! What was sent with a form, checked against its fields, as the item that begins the run. Only fields that the form has
//! are taken, and choices only from its options.

use std::sync::Arc;

use indexmap::IndexMap;
use millrace_model::{Binaries, BinaryData, Item, Object, Str, Value, parse_number};

use super::{Field, Form, Kind};

/// What is wrong with a field, by its place in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: usize,
    pub message: String,
}

/// The item of a submission. `body`: values by the names of the page's inputs (`field-0`, …); `files`: binaries, by the
/// same names; `now`: the time of it (RFC 3339).
pub fn submitted(form: &Form, body: &Value, files: Option<&Binaries>, now: &str) -> Result<Item, Vec<FieldError>> {
    let mut json = Object::new();
    let mut binaries: IndexMap<Str, BinaryData> = IndexMap::new();
    let mut errors = Vec::new();
    for (at, field) in form.fields.iter().enumerate() {
        let result = match field.kind {
            Kind::Html => continue,
            Kind::Hidden => Ok(Value::from(field.value.clone())),
            Kind::File => file(field, at, files, &mut binaries),
            _ => value(field, given(body, at)),
        };
        match result {
            Ok(value) => {
                json.insert(field.target().clone(), value);
            }
            Err(message) => errors.push(FieldError { field: at, message }),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    json.insert("submittedAt", now);
    json.insert("formMode", "production");
    let binary = (!binaries.is_empty()).then(|| Arc::new(binaries));
    Ok(Item { binary, ..Item::new(json) })
}

/// The texts that came for a field.
fn given(body: &Value, at: usize) -> Vec<Str> {
    let name = format!("field-{at}");
    let found = body.get(&name).or_else(|| body.get(&format!("{name}[]")));
    let texts: Vec<Str> = match found {
        None | Some(Value::Null | Value::Undefined) => Vec::new(),
        Some(Value::Array(values)) => values.iter().map(Value::to_js_string).collect(),
        Some(value) => vec![value.to_js_string()],
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

fn value(field: &Field, given: Vec<Str>) -> Result<Value, String> {
    let Some(first) = given.first() else {
        return match field.required {
            true => Err("This field is required".to_owned()),
            false if field.several => Ok(Value::from(Vec::<Value>::new())),
            false if matches!(field.kind, Kind::Number | Kind::Date | Kind::Dropdown | Kind::Radio) => Ok(Value::Null),
            false => Ok("".into()),
        };
    };
    match field.kind {
        Kind::Number => match parse_number(first) {
            number if number.is_finite() => Ok(Value::Number(number)),
            _ => Err(format!("\"{first}\" is not a number")),
        },
        Kind::Email if !is_address(first) => Err(format!("\"{first}\" is not an e-mail address")),
        Kind::Date if first.parse::<jiff::civil::Date>().is_err() => Err(format!("\"{first}\" is not a date")),
        Kind::Dropdown | Kind::Radio | Kind::Checkbox => {
            match given.iter().find(|text| !field.options.contains(text)) {
                Some(other) => Err(format!("\"{other}\" is not one of the options")),
                None if field.choices.is_some_and(|(least, most)| !(least..=most).contains(&given.len())) => {
                    let (least, most) = field.choices.unwrap_or_default();
                    let how_many = if least == most { least.to_string() } else { format!("{least} to {most}") };
                    Err(format!("Choose {how_many} of the options"))
                }
                None if field.several => Ok(Value::array(given.into_iter().map(Value::String))),
                None => Ok(Value::String(first.clone())),
            }
        }
        _ => Ok(Value::String(first.clone())),
    }
}

/// The files of a field: described in the item's JSON, their bytes beside it.
fn file(
    field: &Field,
    at: usize,
    files: Option<&Binaries>,
    binaries: &mut IndexMap<Str, BinaryData>,
) -> Result<Value, String> {
    let name = format!("field-{at}");
    let rest = |key: &str| key.strip_prefix(name.as_str()).map(str::to_owned);
    let of_field =
        |key: &str| rest(key).is_some_and(|rest| rest.chars().all(|letter| letter.is_ascii_digit() || letter == '_'));
    let found: Vec<&BinaryData> = files
        .into_iter()
        .flat_map(|files| files.iter())
        .filter(|(key, file)| of_field(key) && file.file_name.as_deref().is_some_and(|name| !name.is_empty()))
        .map(|(_, file)| file)
        .collect();
    if found.is_empty() && field.required {
        return Err("This field is required".to_owned());
    }
    let is_taken = |file: &&&BinaryData| {
        let name = file.file_name.as_deref().unwrap_or_default().to_lowercase();
        field.accepts.is_empty() || field.accepts.iter().any(|ending| name.ends_with(ending.as_str()))
    };
    if let Some(other) = found.iter().find(|file| !is_taken(file)) {
        let name = other.file_name.as_deref().unwrap_or_default();
        return Err(format!("\"{name}\" is not one of the file types {}", field.accepts.join(", ")));
    }
    let shown = |file: &BinaryData| {
        let text = |value: &Option<Str>| value.clone().map_or(Value::Null, Value::String);
        Value::from(Object::from([
            ("filename", text(&file.file_name)),
            ("mimetype", Value::String(file.mime_type.clone())),
            ("size", text(&file.file_size)),
        ]))
    };
    let key: String = field
        .target()
        .chars()
        .map(|letter| if letter.is_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect();
    for (number, file) in found.iter().enumerate() {
        let key = if field.several { format!("{key}_{number}") } else { key.clone() };
        binaries.insert(key.into(), (*file).clone());
    }
    let mut shown = found.iter().map(|file| shown(file));
    Ok(if field.several { Value::array(shown) } else { shown.next().unwrap_or(Value::Null) })
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}
