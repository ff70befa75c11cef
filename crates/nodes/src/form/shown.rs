//! What a run that waits for a form shows: said by the node while its expressions can be resolved, kept with the pause,
//! read when somebody opens the form.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use millrace_model::{ExecutionError, Object, Str, Value};

use super::{Form, is_web_address, text};
use crate::NodeContext;

/// The node that begins what is gone on with.
const TRIGGER: &str = "n8n-nodes-base.formTrigger";

/// A pause at a form, read from what its node said.
#[derive(Clone, Debug)]
pub enum Shown {
    Page(Form),
    Ending(Ending),
}

/// What is shown when all is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Text {
        title: Str,
        message: Str,
        file: Option<File>,
    },
    Redirect(Str),
    /// A page of the author's own.
    Markup(Str),
}

/// A file that is offered at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: Str,
    pub media_type: Str,
    /// Base64.
    pub data: Str,
}

impl Shown {
    pub fn read(shows: &Object) -> Shown {
        let text = |key: &str| text(shows.get(key));
        if !shows.contains_key("ending") {
            return Shown::Page(Form::read(shows));
        }
        Shown::Ending(match text("ending").as_str() {
            "redirect" => Ending::Redirect(text("url")),
            "markup" => Ending::Markup(text("markup")),
            _ => {
                Ending::Text { title: text("title"), message: text("message"), file: shows.get("file").map(File::read) }
            }
        })
    }
}

impl File {
    fn read(value: &Value) -> File {
        let text = |key: &str| text(value.get(key));
        File { name: text("name"), media_type: text("type"), data: text("data") }
    }
}

/// The form of a node that has one among its own parameters, as Wait.
pub(crate) fn shown_form(context: &mut NodeContext<'_>) -> Result<Object, ExecutionError> {
    let mut shows = Object::new();
    for key in ["formTitle", "formDescription", "responseMode", "formFields", "options"] {
        let value = context.parameter(key, 0)?;
        shows.insert(key, value);
    }
    Ok(shows)
}

/// The next page of a form: what it does not say itself the Form Trigger says.
pub(crate) fn shown_page(context: &mut NodeContext<'_>) -> Result<Object, ExecutionError> {
    let trigger = trigger(context)?;
    let mut shows = Object::new();
    for key in ["formTitle", "formDescription"] {
        let own = context.parameter(&format!("options.{key}"), 0)?;
        let value = if text(Some(&own)).is_empty() { trigger.get(key).cloned().unwrap_or_default() } else { own };
        shows.insert(key, value);
    }
    let button = context.parameter("options.buttonLabel", 0)?;
    let inherited = trigger.get("options").and_then(|options| options.get("buttonLabel")).cloned();
    let button = if text(Some(&button)).is_empty() { inherited.unwrap_or_default() } else { button };
    shows.insert("options", Object::from([("buttonLabel", button)]));
    let fields = if context.text("defineForm", 0)? == "json" {
        Object::from([("values", listed(context.parameter("jsonOutput", 0)?)?)]).into()
    } else {
        context.parameter("formFields", 0)?
    };
    shows.insert("formFields", fields);
    Ok(shows)
}

/// The end of a form.
pub(crate) fn shown_ending(context: &mut NodeContext<'_>) -> Result<Object, ExecutionError> {
    trigger(context)?;
    match context.text("respondWith", 0)?.as_str() {
        "redirect" => {
            let url = context.text("redirectUrl", 0)?;
            if !is_web_address(&url) {
                return Err(ExecutionError::operation(format!("The redirect URL \"{url}\" is not valid"))
                    .describe("Give an address that begins with http:// or https://"));
            }
            Ok(Object::from([("ending", "redirect".into()), ("url", url.into())]))
        }
        "showText" => {
            Ok(Object::from([("ending", "markup".into()), ("markup", context.text("responseText", 0)?.into())]))
        }
        with => {
            let (title, message) = (context.text("completionTitle", 0)?, context.text("completionMessage", 0)?);
            let mut shows =
                Object::from([("ending", "text".into()), ("title", title.into()), ("message", message.into())]);
            if with == "returnBinary" {
                shows.insert("file", offered(context)?);
            }
            Ok(shows)
        }
    }
}

/// The Form Trigger's parameters.
fn trigger(context: &mut NodeContext<'_>) -> Result<Object, ExecutionError> {
    let nodes = &context.workflow.nodes;
    let found = nodes.iter().find(|node| node.kind == TRIGGER && !node.disabled);
    let missing = || ExecutionError::operation("An n8n Form Trigger node must be set up before this node");
    let parameters = Value::Object(found.ok_or_else(missing)?.parameters.clone());
    Ok(context.resolve(&parameters, 0)?.as_object().cloned().unwrap_or_default())
}

/// Fields written as JSON.
fn listed(fields: Value) -> Result<Value, ExecutionError> {
    let fields = match &fields {
        Value::String(text) => Value::from_json(text).unwrap_or_default(),
        _ => fields,
    };
    match &fields {
        Value::Array(entries) if entries.iter().all(|entry| entry.as_object().is_some()) => Ok(fields),
        _ => Err(ExecutionError::operation("The form fields are not valid JSON")
            .describe("Give a list of fields, such as [{\"fieldLabel\": \"Name\", \"fieldType\": \"text\"}]")),
    }
}

fn offered(context: &mut NodeContext<'_>) -> Result<Object, ExecutionError> {
    let property = context.text("inputDataFieldName", 0)?;
    let binary = context.items().first().and_then(|item| item.binary.as_ref()?.get(&property).cloned());
    let binary = binary.ok_or_else(|| {
        ExecutionError::operation(format!("No binary data with property \"{property}\" exists in the input"))
    })?;
    let bytes = context.host.load_binary(&binary)?;
    let media_type = if binary.mime_type.is_empty() { "application/octet-stream".into() } else { binary.mime_type };
    Ok(Object::from([
        ("name", binary.file_name.unwrap_or_else(|| "file".into()).into()),
        ("type", media_type.into()),
        ("data", BASE64_STANDARD.encode(&bytes).into()),
    ]))
}
