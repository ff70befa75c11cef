//! Every operation explains itself.

use super::Operation;

#[test]
fn every_operation_is_documented() {
    let mut ids = std::collections::BTreeSet::new();
    for operation in Operation::all() {
        let (id, declaration) = (&operation.id, &operation.declaration);
        assert!(
            !id.is_empty() && ids.insert(id.clone()),
            "{} {} needs an id of its own",
            operation.method,
            operation.path
        );
        for field in ["summary", "description"] {
            assert!(declaration[field].as_str().is_some_and(|text| text.len() > 4), "{id} has no {field}");
        }
        assert!(declaration["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{id} needs one tag");
        for parameter in declaration["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{id}: {} has no description", parameter["name"]);
        }
        if let Some(content) = declaration["requestBody"]["content"].as_object() {
            for media_type in content.values() {
                assert!(operation.example_of(media_type).is_some(), "{id}: the request body has no example");
            }
        }
    }
}

#[test]
fn every_answer_is_documented() {
    for operation in Operation::all() {
        let id = &operation.id;
        let responses = operation.declaration["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{id} {status}");
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                assert!(operation.example_of(content).is_some(), "{id} {status} has no example");
                let is_error = status.starts_with(['4', '5']) && !operation.path.starts_with("/health");
                assert_eq!(is_error, media_type == "application/problem+json", "{id} {status}");
            }
        }
        assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{id} has no successful answer");
        let mut expected = Vec::new();
        if operation.declaration["security"] != serde_json::json!([]) {
            expected.extend(["401", "429", "500"]);
        }
        if operation.permission().is_some() {
            expected.push("403");
        }
        if operation.has_id() {
            expected.push("404");
        }
        if operation.declaration.get("requestBody").is_some() {
            expected.extend(["400", "413", "415", "422"]);
        }
        for status in expected {
            assert!(responses.contains_key(status), "{id} does not document {status}");
        }
    }
}
