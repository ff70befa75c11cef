//! `sort` and `toSorted` of lists with a comparator, in the order of comparisons that V8 has.

use rquickjs::{Array, Coerced, FromJs, Function, Value as JsValue};

use super::{Answer, Call};
use crate::tim_sort;

/// Longest list that is sorted here; longer ones may have nothing but holes.
const MAX_LENGTH: usize = 10_000_000;

/// `sort(list, compare)`: the elements in order, `undefined` and holes at the end; nothing for what is no list.
pub(super) fn sort<'js>(call: &Call<'_, 'js>) -> Answer<'js> {
    let (list, compare) = (call.value(0), call.value(1));
    let list = list.as_array().filter(|list| list.len() <= MAX_LENGTH);
    let (Some(list), Some(compare)) = (list, compare.as_function()) else { return Ok(call.undefined()) };
    let mut values: Vec<JsValue<'js>> = list.iter().collect::<rquickjs::Result<_>>()?;
    let length = values.len();
    values.retain(|value| !value.is_undefined());
    let order = tim_sort(values.len(), |left, right| match (values.get(left), values.get(right)) {
        (Some(left), Some(right)) => is_negative(compare, left, right),
        _ => Ok(false),
    })?;
    let sorted = Array::new(call.ctx.clone())?;
    for (at, value) in order.into_iter().filter_map(|place| values.get(place)).enumerate() {
        sorted.set(at, value)?;
    }
    for at in values.len()..length {
        sorted.set(at, call.undefined())?;
    }
    Ok(sorted.into_value())
}

/// What a comparator gives counts as a number: `true` is 1, and what is no number is 0.
fn is_negative<'js>(compare: &Function<'js>, left: &JsValue<'js>, right: &JsValue<'js>) -> rquickjs::Result<bool> {
    let answer: JsValue<'js> = compare.call((left, right))?;
    match answer.as_number() {
        Some(number) => Ok(number < 0.0),
        None => Ok(Coerced::<f64>::from_js(answer.ctx(), answer.clone())?.0 < 0.0),
    }
}
