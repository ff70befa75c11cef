//! The document's operations, and requests made from their own examples.

use actix_web::http::Method;
use millrace::app::openapi_document;
use serde_json::{Value, json};

use crate::support::{Client, Reply};

/// One operation of the document.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) declaration: Value,
    document: std::sync::Arc<Value>,
}

impl Operation {
    /// Every operation there is.
    pub(super) fn all() -> Vec<Operation> {
        let document = std::sync::Arc::new(serde_json::to_value(openapi_document()).unwrap());
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let document = std::sync::Arc::clone(&document);
            item.as_object().unwrap().iter().map(move |(method, declaration)| Operation {
                id: declaration["operationId"].as_str().unwrap_or_default().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                declaration: declaration.clone(),
                document: std::sync::Arc::clone(&document),
            })
        });
        operations.collect()
    }

    /// Those that ask for credentials.
    pub(super) fn secured() -> Vec<Operation> {
        Operation::all().into_iter().filter(|operation| operation.declaration["security"] != json!([])).collect()
    }

    /// What `x-permission` names.
    pub(super) fn permission(&self) -> Option<&str> {
        self.declaration["x-permission"].as_str()
    }

    /// For the platform's administrators, who are above tenants.
    pub(super) fn is_administrative(&self) -> bool {
        self.path.starts_with("/api/v1/admin/")
    }

    pub(super) fn is_mutation(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// Whether a part of the path is an id.
    pub(super) fn has_id(&self) -> bool {
        self.path.contains('{')
    }

    /// The path with this in place of every parameter.
    pub(super) fn path_with(&self, id: &str) -> String {
        let mut path = String::new();
        for step in self.path.split('/').skip(1) {
            path.push('/');
            path.push_str(if step.starts_with('{') { id } else { step });
        }
        path
    }

    /// The example of the request body, where there is a body.
    pub(super) fn example_body(&self) -> Option<Value> {
        let content = self.declaration["requestBody"]["content"].as_object()?;
        self.example_of(content.get("application/json")?)
    }

    /// The example of a media type: its own, or its schema's.
    pub(super) fn example_of(&self, media_type: &Value) -> Option<Value> {
        let own = media_type.get("example").cloned();
        let named = media_type["examples"].as_object().and_then(|examples| examples.values().next());
        own.or_else(|| named.and_then(|example| example.get("value").cloned()))
            .or_else(|| self.example_of_schema(&media_type["schema"]))
    }

    fn example_of_schema(&self, schema: &Value) -> Option<Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.example_of_schema(self.document.pointer(reference.strip_prefix('#')?)?);
        }
        if let Some(example) = schema.get("example") {
            return Some(example.clone());
        }
        if let Some(example) = schema["examples"].as_array().and_then(|examples| examples.first()) {
            return Some(example.clone());
        }
        if let Some(variant) = schema["oneOf"].as_array().and_then(|variants| variants.first()) {
            return self.example_of_schema(variant);
        }
        // Put together from the properties: a page from its rows, a resource from its fields.
        let properties = schema["properties"].as_object()?;
        let known = properties.iter().filter_map(|(name, property)| {
            let example = self.example_of_schema(property);
            let rows = property.get("items").and_then(|rows| self.example_of_schema(rows)).map(|row| json!([row]));
            Some((name.clone(), example.or(rows)?))
        });
        let example: serde_json::Map<_, _> = known.collect();
        (!example.is_empty()).then_some(Value::Object(example))
    }

    /// Sends the request of the example, with this as id.
    pub(super) async fn send(&self, client: &Client, id: &str) -> Reply {
        client.send(self.method.clone(), &self.path_with(id), self.example_body()).await
    }
}
