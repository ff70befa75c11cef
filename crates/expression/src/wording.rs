//! Messages of the engine in the words of Node.js, which people and n8n's documentation know.

use millrace_model::Str;

/// The message as Node.js has it; others as they are.
pub(crate) fn like_node(message: &str) -> Str {
    for (verb, gerund) in [("read", "reading"), ("set", "setting")] {
        let rest = message.strip_prefix("cannot ").and_then(|rest| rest.strip_prefix(verb));
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix(" property '")) else { continue };
        if let Some((name, of)) = rest.rsplit_once("' of ") {
            return format!("Cannot {verb} properties of {of} ({gerund} '{name}')").into();
        }
    }
    match message {
        "not a function" => "is not a function".into(),
        "unexpected end of input" => "Unexpected end of input".into(),
        _ => match message.strip_prefix('\'').and_then(|rest| rest.strip_suffix("' is not defined")) {
            Some(name) => format!("{name} is not defined").into(),
            None => message.into(),
        },
    }
}
