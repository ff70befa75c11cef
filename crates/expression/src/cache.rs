//! Compiled templates by their text, shared by all runs of the process: a parameter is compiled once, not once per run.

use std::sync::{LazyLock, PoisonError, RwLock};

use millrace_model::Str;
use rustc_hash::FxHashMap;

use crate::Template;

/// Templates kept; beyond it the cache starts anew.
const MAX_TEMPLATES: usize = 20_000;
/// Bytes of text from which a template is not kept.
const MAX_TEXT: usize = 64 << 10;

static TEMPLATES: LazyLock<RwLock<FxHashMap<Str, Template>>> = LazyLock::new(RwLock::default);

/// The template of a text.
pub(crate) fn template(text: &str) -> Template {
    if let Some(template) = TEMPLATES.read().unwrap_or_else(PoisonError::into_inner).get(text) {
        return template.clone();
    }
    let template = Template::compile(text);
    if text.len() <= MAX_TEXT {
        let mut templates = TEMPLATES.write().unwrap_or_else(PoisonError::into_inner);
        if templates.len() >= MAX_TEMPLATES {
            templates.clear();
        }
        templates.insert(text.into(), template.clone());
    }
    template
}
