//! Values across the boundary of JavaScript: model values in, plain (or tagged) model values out, within limits.

use millrace_model::{Binaries, Item, Object, PairedItem, Str, Value};
use rquickjs::{Array, Coerced, Ctx, FromJs, IntoJs, Object as JsObject, String as JsString, Type, Value as JsValue};

use crate::realm::Realm;

/// Deepest nesting of a value that leaves.
const MAX_DEPTH: usize = 256;

/// Why a value could not leave.
#[derive(Debug)]
pub(crate) enum Refusal {
    TooLarge,
    TooDeep,
    Thrown(rquickjs::Error),
}

impl From<rquickjs::Error> for Refusal {
    fn from(error: rquickjs::Error) -> Refusal {
        Refusal::Thrown(error)
    }
}

/// A model value as a JavaScript value: a copy of its own.
pub(crate) fn to_js<'js>(ctx: &Ctx<'js>, value: &Value) -> rquickjs::Result<JsValue<'js>> {
    match value {
        Value::Undefined => Ok(JsValue::new_undefined(ctx.clone())),
        Value::Null => Ok(JsValue::new_null(ctx.clone())),
        Value::Bool(value) => Ok(JsValue::new_bool(ctx.clone(), *value)),
        Value::Number(value) => Ok(number(ctx, *value)),
        Value::String(text) => text.as_str().into_js(ctx),
        Value::Array(values) => {
            let array = Array::new(ctx.clone())?;
            for (index, value) in values.iter().enumerate() {
                array.set(index, to_js(ctx, value)?)?;
            }
            Ok(array.into_value())
        }
        Value::Object(object) => object_to_js(ctx, object),
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

pub(crate) fn object_to_js<'js>(ctx: &Ctx<'js>, object: &Object) -> rquickjs::Result<JsValue<'js>> {
    let target = JsObject::new(ctx.clone())?;
    for (key, value) in object.iter() {
        target.set(key.as_str(), to_js(ctx, value)?)?;
    }
    Ok(target.into_value())
}

/// An item without its binaries.
pub(crate) fn item_to_js<'js>(
    ctx: &Ctx<'js>,
    item: &Item,
    paired: Option<&PairedItem>,
) -> rquickjs::Result<JsObject<'js>> {
    let target = JsObject::new(ctx.clone())?;
    target.set("json", to_js(ctx, &item.json)?)?;
    if let Some(paired) = paired {
        target.set("pairedItem", paired_to_js(ctx, paired)?)?;
    }
    if let Some(error) = &item.error {
        target.set("error", to_js(ctx, error)?)?;
    }
    for (key, value) in item.extra.iter().flat_map(Object::iter) {
        target.set(key.as_str(), to_js(ctx, value)?)?;
    }
    Ok(target)
}

fn paired_to_js<'js>(ctx: &Ctx<'js>, paired: &PairedItem) -> rquickjs::Result<JsValue<'js>> {
    match paired {
        PairedItem::Index(index) => Ok(number(ctx, f64::from(*index))),
        PairedItem::One(one) => {
            let target = JsObject::new(ctx.clone())?;
            target.set("item", number(ctx, f64::from(one.item)))?;
            if let Some(input) = one.input {
                target.set("input", number(ctx, f64::from(input)))?;
            }
            if let Some(source) = &one.source_overwrite {
                target.set("sourceOverwrite", to_js(ctx, source)?)?;
            }
            Ok(target.into_value())
        }
        PairedItem::Many(many) => {
            let array = Array::new(ctx.clone())?;
            for (index, paired) in many.iter().enumerate() {
                array.set(index, paired_to_js(ctx, paired)?)?;
            }
            Ok(array.into_value())
        }
    }
}

pub(crate) fn binaries_to_js<'js>(ctx: &Ctx<'js>, binaries: Option<&Binaries>) -> rquickjs::Result<JsValue<'js>> {
    match binaries {
        Some(binaries) => serialized(ctx, binaries),
        None => Ok(JsObject::new(ctx.clone())?.into_value()),
    }
}

fn serialized<'js>(ctx: &Ctx<'js>, value: &impl serde::Serialize) -> rquickjs::Result<JsValue<'js>> {
    let text = serde_json::to_string(value).unwrap_or_default();
    ctx.json_parse(text)
}

/// Copies JavaScript values out.
pub(crate) struct Reader<'a, 'js> {
    realm: &'a Realm<'js>,
    /// Bytes that may still be copied.
    budget: usize,
    /// Are types that JSON lacks kept as `{"$type": …}`?
    tagged: bool,
}

impl<'a, 'js> Reader<'a, 'js> {
    pub(crate) fn new(realm: &'a Realm<'js>, budget: usize, tagged: bool) -> Reader<'a, 'js> {
        Reader { realm, budget, tagged }
    }

    pub(crate) fn read(&mut self, value: &JsValue<'js>) -> Result<Value, Refusal> {
        self.read_at(value, 0)
    }

    fn read_at(&mut self, value: &JsValue<'js>, depth: usize) -> Result<Value, Refusal> {
        self.spend(16)?;
        match value.type_of() {
            Type::Undefined | Type::Uninitialized => Ok(self.undefined()),
            Type::Null => Ok(Value::Null),
            Type::Bool => Ok(Value::Bool(value.as_bool().unwrap_or_default())),
            Type::Int | Type::Float => Ok(self.number(value.as_number().unwrap_or(f64::NAN))),
            Type::String => match value.as_string() {
                Some(text) => self.text(text).map(Value::String),
                None => Ok(Value::Undefined),
            },
            Type::BigInt => {
                let text = Coerced::<String>::from_js(value.ctx(), value.clone())?.0;
                self.spend(text.len())?;
                Ok(if self.tagged { tag("bigint", [("value", text.into())]) } else { Value::from(text) })
            }
            Type::Function | Type::Constructor => self.function(value),
            Type::Symbol => Ok(Value::Undefined),
            _ => self.object(value, depth),
        }
    }

    fn undefined(&self) -> Value {
        if self.tagged { tag("undefined", []) } else { Value::Undefined }
    }

    fn number(&self, value: f64) -> Value {
        let name = match value {
            _ if !self.tagged => return Value::Number(value),
            v if v.is_nan() => "NaN",
            f64::INFINITY => "Infinity",
            f64::NEG_INFINITY => "-Infinity",
            v if v == 0.0 && v.is_sign_negative() => "-0",
            _ => return Value::Number(value),
        };
        tag("number", [("value", name.into())])
    }

    fn function(&self, value: &JsValue<'js>) -> Result<Value, Refusal> {
        if !self.tagged {
            return Ok(Value::Undefined);
        }
        let name = match value.as_object() {
            Some(function) => function.get::<_, Option<String>>("name").ok().flatten(),
            None => None,
        };
        Ok(tag("function", [("name", name.unwrap_or_default().into())]))
    }

    fn object(&mut self, value: &JsValue<'js>, depth: usize) -> Result<Value, Refusal> {
        if depth >= MAX_DEPTH {
            return Err(Refusal::TooDeep);
        }
        if let Some(array) = value.as_array() {
            let mut values = Vec::with_capacity(array.len().min(1 << 16));
            for element in array.iter::<JsValue<'js>>() {
                values.push(self.read_at(&element?, depth + 1)?);
            }
            return Ok(Value::from(values));
        }
        let Some(object) = value.as_object() else { return Ok(Value::Undefined) };
        let prototype = object.get_prototype();
        if prototype.is_none_or(|prototype| prototype == self.realm.object_prototype) {
            return self.fields(object, depth);
        }
        let plain: JsValue<'js> = self.realm.rare("plain")?.call((value.clone(), self.tagged))?;
        match plain.as_object().filter(|_| plain.as_array().is_none()) {
            Some(plain) if plain.get_prototype().as_ref() == Some(&self.realm.object_prototype) => {
                self.fields(plain, depth)
            }
            Some(_) if plain == *value => Ok(Value::Undefined),
            _ => self.read_at(&plain, depth + 1),
        }
    }

    fn fields(&mut self, object: &JsObject<'js>, depth: usize) -> Result<Value, Refusal> {
        let mut target = Object::new();
        for field in object.props::<JsString<'js>, JsValue<'js>>() {
            let (key, value) = field?;
            let key = self.text(&key)?;
            let value = self.read_at(&value, depth + 1)?;
            target.insert(key, value);
        }
        Ok(Value::Object(target))
    }

    fn text(&mut self, text: &JsString<'js>) -> Result<Str, Refusal> {
        let text = match text.to_string() {
            Ok(text) => text,
            // Half of a surrogate pair: replaced, as UTF-8 has no form for it.
            Err(rquickjs::Error::Utf8(_)) => self.realm.rare("wellFormed")?.call((text.clone(),))?,
            Err(error) => return Err(error.into()),
        };
        self.spend(text.len())?;
        Ok(text.into())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.budget = self.budget.checked_sub(bytes).ok_or(Refusal::TooLarge)?;
        Ok(())
    }
}

fn tag<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Value {
    let mut tagged = Object::from([("$type", Value::from(kind))]);
    for (key, value) in fields {
        tagged.insert(key, value);
    }
    Value::Object(tagged)
}
