//! The JavaScript parts of the prelude, each compiled once per process.

use std::sync::OnceLock;

use rquickjs::{Ctx, Exception, FromJs, Result};

use super::bytecode::Code;

/// A module whose default export is the part; `text` is concatenated.
struct Part {
    name: &'static str,
    text: &'static [&'static str],
    code: OnceLock<std::result::Result<Code, String>>,
}

/// Loads the part into the context and returns its default export.
pub(super) fn load<'js, T: FromJs<'js>>(ctx: &Ctx<'js>, name: &str) -> Result<T> {
    let part = PARTS.iter().find(|part| part.name == name);
    let part = part.ok_or_else(|| Exception::throw_reference(ctx, &format!("no such part: {name}")))?;
    match part.code.get_or_init(|| Code::compile(part.name, &part.text.concat())) {
        Ok(code) => code.run(ctx)?.get("default"),
        Err(message) => Err(Exception::throw_internal(ctx, message)),
    }
}

macro_rules! parts {
    ($($name:literal: $($text:expr),+;)*) => {
        [$(Part { name: $name, text: &[$($text),+], code: OnceLock::new() }),*]
    };
}

static PARTS: [Part; 13] = parts! {
    "core": include_str!("js/core.js");
    "extend": include_str!("js/extend.js");
    "strings": include_str!("js/strings.js");
    "text": include_str!("js/text.js");
    "numbers": include_str!("js/numbers.js");
    "booleans": include_str!("js/booleans.js");
    "arrays": include_str!("js/arrays.js");
    "objects": include_str!("js/objects.js");
    "dates": include_str!("js/dates.js");
    "globals": include_str!("js/globals.js");
    "intl": include_str!("../intl/intl.js");
    "luxon": "export default ({ Object, Reflect, Proxy, Function }) => {",
        include_str!("../../vendor/luxon/luxon.min.js"), "\nreturn luxon; };";
    "jmespath": "export default ({ Object }) => { const exports = {};",
        include_str!("../../vendor/jmespath/jmespath.js"), "\nreturn exports; };";
};
