//! Operations on the current item, its lists, and what is the same for the whole run.

use millrace_model::{Item, PairedItem, PairedRef, Value};
use rquickjs::{Array, Function};

use super::{Answer, Call};
use crate::convert::{Writer, binaries_to_js, object_to_js};
use crate::frame::List;
use crate::{errors, realm, sandbox};

/// `item(list, index, withBinary)`: a fresh copy of an item, or undefined.
pub(super) fn item<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let (Some(list), Some(index)) = (list_of(call), call.index(1)) else { return Ok(call.undefined()) };
    match list.items.get(index) {
        Some(item) => copy(call, &mut Writer::new(call.ctx), &list, index, item, &call.value(2)),
        None => Ok(call.undefined()),
    }
}

/// `items(list, withBinary)`: fresh copies of all items.
pub(super) fn items<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let array = Array::new(call.ctx.clone())?;
    let Some(list) = list_of(call) else { return Ok(array.into_value()) };
    let (mut writer, with_binary) = (Writer::caching(call.ctx), call.value(1));
    for (index, item) in list.items.iter().enumerate() {
        array.set(index, copy(call, &mut writer, &list, index, item, &with_binary)?)?;
    }
    Ok(array.into_value())
}

/// A copy of an item; its binaries are copied when they are read.
fn copy<'js>(
    call: &Call<'_, 'js>,
    writer: &mut Writer<'_, 'js>,
    list: &List,
    index: usize,
    item: &Item,
    with_binary: &rquickjs::Value<'js>,
) -> Answer<'js> {
    let own = list.input.map(|input| PairedItem::One(itself(index, input)));
    let target = writer.item(item, own.as_ref().or(item.paired_item.as_ref()))?;
    if item.binary.is_some()
        && let Some(with_binary) = with_binary.as_function()
    {
        with_binary.call::<_, ()>((target.clone(), call.value(0), call.number(index)))?;
    }
    Ok(target.into_value())
}

/// Items of the current node's input count as made from themselves.
fn itself(index: usize, input: usize) -> PairedRef {
    let paired = PairedRef::item(index);
    if input == 0 { paired } else { paired.of_input(input) }
}

/// `binary(list, index)`: the binaries of an item.
pub(super) fn binary<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let list = list_of(call);
    let item = list.as_ref().and_then(|list| list.items.get(call.index(1)?));
    Ok(binaries_to_js(call.ctx, item.and_then(|item: &Item| item.binary.as_ref()))?)
}

/// `length(list)`.
pub(super) fn length<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(call.number(list_of(call).map_or(0, |list| list.items.len())))
}

fn list_of(call: &Call<'_, '_>) -> Option<List> {
    let id = call.index(0).and_then(|id| u32::try_from(id).ok())?;
    call.frame.lists.borrow().get(id).cloned()
}

/// `input()`: the list of the first input; an error (or none, when lenient) if it has no items.
pub(super) fn input<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    match call.frame.scope.inputs.first() {
        Some(Some(items)) if !items.is_empty() => Ok(call.list(items, Some(0))),
        _ if call.frame.lenient => Ok(call.none()),
        _ => Err(errors::not_executed(call.name_of(call.frame.scope.node)).into()),
    }
}

/// `current()`: the current item as `list * 2^32 + index`, the key of its view; -1 when there are no items (lenient).
#[expect(clippy::as_conversions, reason = "both are below 2^32, so the sum is exact")]
pub(super) fn current<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    match call.frame.scope.inputs.first() {
        Some(Some(items)) if !items.is_empty() => {
            let list = call.frame.lists.borrow_mut().id_of(items, Some(0));
            let index = call.frame.scope.item_index.min(0xffff_fffe) as f64;
            Ok(rquickjs::Value::new_float(call.ctx.clone(), f64::from(list) * 4_294_967_296.0 + index))
        }
        _ if call.frame.lenient => Ok(call.none()),
        _ => Err(errors::not_executed(call.name_of(call.frame.scope.node)).into()),
    }
}

/// `inputOrNone()`: the list of the first input, or -1.
pub(super) fn input_or_none<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    match call.frame.scope.inputs.first() {
        Some(Some(items)) => Ok(call.list(items, Some(0))),
        _ => Ok(call.none()),
    }
}

pub(super) fn item_index<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(call.number(call.frame.scope.item_index))
}

pub(super) fn run_index<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(call.number(call.frame.scope.run_index))
}

pub(super) fn combined<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(call.flag(call.frame.is_combined()))
}

/// `evaluateFor(text, node, index)`: a template with another node's parameters, or for another item.
pub(super) fn evaluate_for<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let Some(text) = call.text(0) else { return Ok(call.value(0)) };
    let mut scope = *call.frame.scope;
    scope.node = call.node(1)?;
    scope.item_index = call.index(2).unwrap_or(scope.item_index);
    sandbox::evaluate_nested(call.ctx, call.frame, &scope, &text)
}

/// `siblings()`: the fields beside the parameter that is resolved.
pub(super) fn siblings<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    match call.frame.siblings {
        Some(siblings) => Ok(object_to_js(call.ctx, siblings)?),
        None => Ok(call.undefined()),
    }
}

/// `extra(name)`: a further name of this evaluation.
pub(super) fn extra<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let value = call.frame.extra.and_then(|extra| extra.get(&call.text(0)?));
    call.model(value.unwrap_or(&Value::Undefined))
}

pub(super) fn workflow<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let workflow = call.frame.scope.workflow;
    let text = |text: &millrace_model::Str| if text.is_empty() { Value::Undefined } else { text.clone().into() };
    call.record([("active", workflow.active.into()), ("id", text(&workflow.id)), ("name", text(&workflow.name))])
}

pub(super) fn execution<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let globals = call.frame.scope.globals;
    let mode = if call.frame.is_manual() { "test" } else { "production" };
    call.record([
        ("id", globals.execution_id.clone().into()),
        ("mode", mode.into()),
        ("resumeUrl", globals.resume_url.clone().into()),
        ("resumeFormUrl", globals.resume_form_url.clone().into()),
    ])
}

pub(super) fn mode<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    call.string(&call.frame.scope.globals.mode)
}

pub(super) fn env<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(object_to_js(call.ctx, &call.frame.scope.globals.env)?)
}

pub(super) fn vars<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(object_to_js(call.ctx, &call.frame.scope.globals.vars)?)
}

pub(super) fn secrets<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(object_to_js(call.ctx, &call.frame.scope.globals.secrets)?)
}

/// `library(natives)`: puts the expression library into this context.
pub(super) fn library<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let scope = call.frame.scope;
    if let Some(natives) = call.value(0).into_object() {
        realm::install_library(call.ctx, natives, scope.globals, &sandbox::zone_of(scope))?;
    }
    Ok(call.undefined())
}

/// `load(name)`: a part that few runs need.
pub(super) fn load<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    Ok(realm::load(call.ctx, &call.text(0).unwrap_or_default())?.into_value())
}

/// `random()`: some numbers from 0 to below 1.
pub(super) fn random<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let numbers = Array::new(call.ctx.clone())?;
    for at in 0..16 {
        numbers.set(at, fastrand::f64())?;
    }
    Ok(numbers.into_value())
}

/// The clock of the run as a function of JavaScript.
pub(crate) fn clock<'js>(ctx: &rquickjs::Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    Function::new(ctx.clone(), || {
        let now = crate::frame::with(|frame| frame.scope.globals.clock.now_ms());
        now.and_then(|now| Value::from(now).as_f64()).unwrap_or_default()
    })
}
