//! Values across the boundary of JavaScript: model values in, plain (or tagged) model values out, within limits.

mod writer;

pub(crate) use writer::{Writer, binaries_to_js, object_to_js, to_js};

use millrace_model::{Object, Str, Value};
use rquickjs::{Atom, Coerced, FromJs, Object as JsObject, String as JsString, Type, Value as JsValue};

use rustc_hash::FxHashMap;

use crate::realm::Realm;

/// Deepest nesting of a value that leaves: what is deeper cannot be read back from its JSON.
const MAX_DEPTH: usize = 100;

/// Most keys that a reader remembers.
const MAX_KEYS: usize = 4096;

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

/// Copies JavaScript values out.
pub(crate) struct Reader<'a, 'js> {
    realm: &'a Realm<'js>,
    /// Bytes that may still be copied.
    budget: usize,
    /// Keys that were read before: many objects have the same ones.
    keys: FxHashMap<Atom<'js>, Str>,
    /// Are types that JSON lacks kept as `{"$type": …}`?
    tagged: bool,
}

impl<'a, 'js> Reader<'a, 'js> {
    pub(crate) fn new(realm: &'a Realm<'js>, budget: usize, tagged: bool) -> Reader<'a, 'js> {
        Reader { realm, budget, keys: FxHashMap::default(), tagged }
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
        for field in object.props::<Atom<'js>, JsValue<'js>>() {
            let (key, value) = field?;
            let key = self.key(key)?;
            let value = self.read_at(&value, depth + 1)?;
            target.insert(key, value);
        }
        Ok(Value::Object(target))
    }

    fn key(&mut self, atom: Atom<'js>) -> Result<Str, Refusal> {
        if let Some(key) = self.keys.get(&atom) {
            return Ok(key.clone());
        }
        let key = self.text(&atom.to_js_string()?)?;
        if self.keys.len() < MAX_KEYS {
            self.keys.insert(atom, key.clone());
        }
        Ok(key)
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
