//! Query strings and URL-encoded forms: how arrays and objects are written in them.

use millrace_model::{Object, Value};

/// How a list is written in a query string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ArrayFormat {
    /// `a[]=1&a[]=2`
    #[default]
    Brackets,
    /// `a[0]=1&a[1]=2`
    Indices,
    /// `a=1&a=2`
    Repeat,
}

impl ArrayFormat {
    pub(crate) fn named(name: &str) -> ArrayFormat {
        match name {
            "indices" => ArrayFormat::Indices,
            "repeat" => ArrayFormat::Repeat,
            _ => ArrayFormat::Brackets,
        }
    }
}

/// Nesting beyond which values are left out.
const MAX_DEPTH: usize = 16;

/// `name=value` pairs joined by `&`, percent-encoded.
pub(crate) fn stringify(fields: &Object, arrays: ArrayFormat) -> String {
    let mut pairs = Vec::new();
    for (name, value) in fields.iter() {
        collect(name.to_string(), value, arrays, 0, &mut pairs);
    }
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&encode_component(&name));
        text.push('=');
        text.push_str(&encode_component(&value));
    }
    text
}

fn collect(name: String, value: &Value, arrays: ArrayFormat, depth: usize, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Undefined => {}
        Value::Null => pairs.push((name, String::new())),
        Value::Array(values) if depth < MAX_DEPTH => {
            for (index, value) in values.iter().enumerate() {
                let name = match arrays {
                    ArrayFormat::Brackets => format!("{name}[]"),
                    ArrayFormat::Indices => format!("{name}[{index}]"),
                    ArrayFormat::Repeat => name.clone(),
                };
                collect(name, value, arrays, depth + 1, pairs);
            }
        }
        Value::Object(fields) if depth < MAX_DEPTH => {
            for (key, value) in fields.iter() {
                collect(format!("{name}[{key}]"), value, arrays, depth + 1, pairs);
            }
        }
        Value::Array(_) | Value::Object(_) => {}
        value => pairs.push((name, value.to_js_string().to_string())),
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode_component(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(digit(byte >> 4));
            encoded.push(digit(byte & 15));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_lists_and_objects() {
        let fields = Value::from_json(r#"{"a": [1, "x y"], "b": {"c": true, "d": null}, "e": "ü&="}"#).unwrap();
        let fields = fields.as_object().unwrap();
        let rest = "b%5Bc%5D=true&b%5Bd%5D=&e=%C3%BC%26%3D";
        assert_eq!(stringify(fields, ArrayFormat::Brackets), format!("a%5B%5D=1&a%5B%5D=x%20y&{rest}"));
        assert_eq!(stringify(fields, ArrayFormat::Indices), format!("a%5B0%5D=1&a%5B1%5D=x%20y&{rest}"));
        assert_eq!(stringify(fields, ArrayFormat::Repeat), format!("a=1&a=x%20y&{rest}"));
    }
}
