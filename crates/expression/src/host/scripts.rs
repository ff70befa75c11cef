//! Operations of scripts: the console, static data, custom data of the execution, and calls of the host.

use millrace_model::{ExecutionError, Object, Value};

use super::{Answer, Call};
use crate::convert::object_to_js;
use crate::{frame, realm};

/// Most custom data fields of an execution, and most characters of a key and of a value.
const CUSTOM_DATA: (usize, usize, usize) = (10, 50, 512);
/// Most console lines kept of one script, and most bytes of one line.
const CONSOLE: (usize, usize) = (10_000, 64 << 10);

pub(super) fn custom_data<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let data = call.frame.scope.globals.custom_data.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    Ok(object_to_js(call.ctx, &data)?)
}

/// `setCustomData(key, value)`.
pub(super) fn set_custom_data<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let (fields, key_length, value_length) = CUSTOM_DATA;
    let key = call.text(0).unwrap_or_default();
    if key.is_empty() || !key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        let message = format!("Custom data key can only contain characters \"A-Za-z0-9_\" (key \"{key}\")");
        return Err(ExecutionError::new("ExecutionMetadataValidationError", message).into());
    }
    let value = realm::read(call.ctx, &call.value(1)).unwrap_or_default();
    if !matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)) {
        let message = format!("Custom data value of key \"{key}\" must be a string, number or boolean");
        return Err(ExecutionError::new("ExecutionMetadataValidationError", message).into());
    }
    let cut = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    let mut data = call.frame.scope.globals.custom_data.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = cut(&key, key_length);
    if data.len() < fields || data.contains_key(&key) {
        data.insert(key, cut(&value.to_js_string(), value_length));
    }
    Ok(call.undefined())
}

/// `log(line)`.
pub(super) fn log<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let (lines, length) = CONSOLE;
    if let (Some(console), Some(mut line)) = (call.frame.console, call.text(0)) {
        let mut console = console.borrow_mut();
        if console.len() < lines {
            line.truncate(line.floor_char_boundary(length));
            console.push(line);
        }
    }
    Ok(call.undefined())
}

/// `staticData(key)`: static data of the workflow (`global`) or of a node (`node:<name>`), as it was before the script.
pub(super) fn static_data<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let key = call.text(0).unwrap_or_default();
    let data = frame::host(|host| host.static_data()).unwrap_or_default();
    let part = data.get(&key).and_then(Value::as_object).cloned().unwrap_or_else(Object::new);
    Ok(object_to_js(call.ctx, &part)?)
}

/// `callHost(name, arguments)`: a helper function of the host.
pub(super) fn call_host<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let name = call.text(0).unwrap_or_default();
    let arguments = realm::read(call.ctx, &call.value(1))?;
    match frame::host(|host| host.call(&name, arguments)) {
        Some(answer) => call.model(&answer?),
        None => Err(ExecutionError::operation(format!("{name} is not available here")).into()),
    }
}
