//! Outgoing HTTP as nodes share it: a request in parts, its encoding, authentication, and the errors users see.
//! Opens no connection: everything goes through the host's guarded client.

mod authentication;
mod aws_signature;
mod digest;
mod draft;
mod encoding;
mod error;
mod oauth1;
mod oauth2;
mod predefined;
mod query;

pub use authentication::authenticate;
pub(crate) use authentication::{Authentication, send};
pub(crate) use draft::{Draft, DraftBody, Part};
pub(crate) use encoding::decode_text;
pub(crate) use error::{Failure, api_error};
pub use oauth1::authorization as oauth1_authorization;
pub use predefined::authentication_rules;
pub(crate) use query::ArrayFormat;

use millrace_model::{Object, Str, Value};

use crate::HttpResponse;

/// A header of a response by lower-case name.
pub(crate) fn header<'r>(response: &'r HttpResponse, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

/// The headers of a response as JSON: repeated ones joined by a comma, `set-cookie` as a list.
pub(crate) fn header_object(response: &HttpResponse) -> Object {
    let mut object = Object::with_capacity(response.headers.len());
    for (name, value) in &response.headers {
        let value = match (name.as_str(), object.get(name)) {
            ("set-cookie", Some(Value::Array(before))) => {
                Value::array(before.iter().cloned().chain([Value::from(value.clone())]))
            }
            ("set-cookie", _) => Value::array([value.clone().into()]),
            (_, Some(Value::String(before))) => format!("{before}, {value}").into(),
            _ => value.clone().into(),
        };
        object.insert(name.clone(), value);
    }
    object
}

/// A text field of a credential; empty when it is not set.
pub(crate) fn field(data: &Object, name: &str) -> Str {
    data.get(name).filter(|value| !value.is_nullish()).map(Value::to_js_string).unwrap_or_default()
}
