//! Model values into JavaScript: copies of their own, so that what code does to them reaches no run data.

use millrace_model::{Binaries, Item, Object, PairedItem, Str, Value};
use rquickjs::object::Property;
use rquickjs::{Array, Atom, Ctx, IntoJs, Object as JsObject, Value as JsValue};
use rustc_hash::FxHashMap;

/// Most keys that a writer remembers.
const MAX_KEYS: usize = 4096;

/// Writes values into a context.
pub(crate) struct Writer<'a, 'js> {
    ctx: &'a Ctx<'js>,
    /// Keys that were written before: items of a list have the same ones.
    keys: Option<FxHashMap<Str, Atom<'js>>>,
}

impl<'a, 'js> Writer<'a, 'js> {
    pub(crate) fn new(ctx: &'a Ctx<'js>) -> Writer<'a, 'js> {
        Writer { ctx, keys: None }
    }

    /// For many values of the same shape.
    pub(crate) fn caching(ctx: &'a Ctx<'js>) -> Writer<'a, 'js> {
        Writer { ctx, keys: Some(FxHashMap::default()) }
    }

    pub(crate) fn value(&mut self, value: &Value) -> rquickjs::Result<JsValue<'js>> {
        match value {
            Value::Undefined => Ok(JsValue::new_undefined(self.ctx.clone())),
            Value::Null => Ok(JsValue::new_null(self.ctx.clone())),
            Value::Bool(value) => Ok(JsValue::new_bool(self.ctx.clone(), *value)),
            Value::Number(value) => Ok(number(self.ctx, *value)),
            Value::String(text) => text.as_str().into_js(self.ctx),
            Value::Array(values) => {
                let array = Array::new(self.ctx.clone())?;
                for (index, value) in values.iter().enumerate() {
                    array.set(index, self.value(value)?)?;
                }
                Ok(array.into_value())
            }
            Value::Object(object) => Ok(self.object(object)?.into_value()),
        }
    }

    pub(crate) fn object(&mut self, object: &Object) -> rquickjs::Result<JsObject<'js>> {
        let target = JsObject::new(self.ctx.clone())?;
        for (key, value) in object.iter() {
            let value = self.value(value)?;
            self.field(&target, key, value)?;
        }
        Ok(target)
    }

    /// An item without its binaries.
    pub(crate) fn item(&mut self, item: &Item, paired: Option<&PairedItem>) -> rquickjs::Result<JsObject<'js>> {
        let target = JsObject::new(self.ctx.clone())?;
        let json = self.value(&item.json)?;
        self.field(&target, "json", json)?;
        if let Some(paired) = paired {
            let paired = self.paired(paired)?;
            self.field(&target, "pairedItem", paired)?;
        }
        if let Some(error) = &item.error {
            let error = self.value(error)?;
            self.field(&target, "error", error)?;
        }
        for (key, value) in item.extra.iter().flat_map(Object::iter) {
            let value = self.value(value)?;
            self.field(&target, key, value)?;
        }
        Ok(target)
    }

    fn paired(&mut self, paired: &PairedItem) -> rquickjs::Result<JsValue<'js>> {
        match paired {
            PairedItem::Index(index) => Ok(number(self.ctx, f64::from(*index))),
            PairedItem::One(one) => {
                let target = JsObject::new(self.ctx.clone())?;
                self.field(&target, "item", number(self.ctx, f64::from(one.item)))?;
                if let Some(input) = one.input {
                    self.field(&target, "input", number(self.ctx, f64::from(input)))?;
                }
                if let Some(source) = &one.source_overwrite {
                    let source = self.value(source)?;
                    self.field(&target, "sourceOverwrite", source)?;
                }
                Ok(target.into_value())
            }
            PairedItem::Many(many) => {
                let array = Array::new(self.ctx.clone())?;
                for (index, paired) in many.iter().enumerate() {
                    array.set(index, self.paired(paired)?)?;
                }
                Ok(array.into_value())
            }
        }
    }

    /// Gives a new object a field of its own; a key `__proto__` is a field like any other.
    fn field(&mut self, target: &JsObject<'js>, key: &str, value: JsValue<'js>) -> rquickjs::Result<()> {
        if key == "__proto__" {
            return target.prop(key, Property::from(value).writable().enumerable().configurable());
        }
        let Some(keys) = &mut self.keys else { return target.set(key, value) };
        if let Some(atom) = keys.get(key) {
            return target.set(atom.clone(), value);
        }
        let atom = Atom::from_str(self.ctx.clone(), key)?;
        if keys.len() < MAX_KEYS {
            keys.insert(key.into(), atom.clone());
        }
        target.set(atom, value)
    }
}

/// A model value as a JavaScript value.
pub(crate) fn to_js<'js>(ctx: &Ctx<'js>, value: &Value) -> rquickjs::Result<JsValue<'js>> {
    Writer::new(ctx).value(value)
}

pub(crate) fn object_to_js<'js>(ctx: &Ctx<'js>, object: &Object) -> rquickjs::Result<JsValue<'js>> {
    Ok(Writer::new(ctx).object(object)?.into_value())
}

pub(crate) fn binaries_to_js<'js>(ctx: &Ctx<'js>, binaries: Option<&Binaries>) -> rquickjs::Result<JsValue<'js>> {
    match binaries {
        Some(binaries) => ctx.json_parse(serde_json::to_string(binaries).unwrap_or_default()),
        None => Ok(JsObject::new(ctx.clone())?.into_value()),
    }
}

/// Whole numbers become JavaScript's small integers, which it computes with fastest.
#[expect(clippy::as_conversions, reason = "checked: whole, within 32 bits and not -0")]
fn number<'js>(ctx: &Ctx<'js>, value: f64) -> JsValue<'js> {
    let integer = value as i32;
    if f64::from(integer) == value && (integer != 0 || value.is_sign_positive()) {
        JsValue::new_int(ctx.clone(), integer)
    } else {
        JsValue::new_float(ctx.clone(), value)
    }
}
