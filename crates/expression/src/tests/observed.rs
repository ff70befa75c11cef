//! Expressions written for this project, with what n8n (2.8) was observed to give for them. A case without `value` and
//! `error` gives nothing.

use millrace_model::Value;

use super::{World, json};
use crate::prelude::EXTENSION_NAMES;

const OBSERVED: &str = include_str!("observed.json");

#[test]
fn expressions_give_what_n8n_gives() {
    let observed = json(OBSERVED);
    let mut world = World::of_items(&Value::array([observed.get("data").unwrap().clone()]).to_json());
    world.globals.timezone = "America/New_York".into();
    let mut wrong = String::new();
    for case in observed.get("cases").and_then(Value::as_array).unwrap() {
        let expression = case.get("expression").unwrap().to_js_string();
        let found = world.evaluate(&format!("={{{{ {expression} }}}}"));
        let right = match (&found, case.get("error"), case.get("value")) {
            (Err(error), Some(expected), _) => *expected == Value::from(error.message.clone()),
            (Ok(found), None, Some(expected)) => {
                Value::from_json(&found.to_json()).is_ok_and(|found| found == *expected)
            }
            (Ok(found), None, None) => found.is_undefined(),
            _ => false,
        };
        if !right {
            wrong.push_str(&format!("{expression}\n  n8n  {}\n  here {found:?}\n", case.to_json()));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Every extension function is tried somewhere, by its name.
#[test]
fn every_extension_function_has_a_case() {
    let tables = [
        OBSERVED,
        include_str!("../prelude/tests/arrays.rs"),
        include_str!("../prelude/tests/dates.rs"),
        include_str!("../prelude/tests/objects.rs"),
        include_str!("../prelude/tests/strings.rs"),
    ];
    let tried = |name: &str| {
        let (quoted, called) = (format!("'{name}'"), format!(".{name}("));
        tables.iter().any(|table| table.contains(&quoted) || table.contains(&called))
    };
    let missing: Vec<&str> = EXTENSION_NAMES.iter().copied().filter(|name| !tried(name)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
