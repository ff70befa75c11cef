//! Scripts of workflows, compiled once per process and shared by its runs.

use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

use millrace_expression::{Script, ScriptKind};
use millrace_model::Str;
use rustc_hash::{FxHashMap, FxHasher};

/// Scripts that are kept; when there are more, all are forgotten and compiled again as needed.
const MAX_SCRIPTS: usize = 4096;
/// Longer texts are not kept.
const MAX_LENGTH: usize = 256 << 10;

/// Scripts by hash of their text and kind.
type Scripts = FxHashMap<(u64, u8), Vec<(Str, Script)>>;

static SCRIPTS: LazyLock<Mutex<Scripts>> = LazyLock::new(Mutex::default);

/// The script of this text.
pub(super) fn script(text: &Str, kind: ScriptKind) -> Script {
    if text.len() > MAX_LENGTH {
        return Script::new(text, kind);
    }
    let mut hasher = FxHasher::default();
    text.hash(&mut hasher);
    let tag = match kind {
        ScriptKind::CodeAllItems => 0,
        ScriptKind::CodeEachItem => 1,
        ScriptKind::Function => 2,
        ScriptKind::FunctionItem => 3,
    };
    let mut scripts = SCRIPTS.lock().unwrap_or_else(PoisonError::into_inner);
    if scripts.len() >= MAX_SCRIPTS {
        scripts.clear();
    }
    let same_hash = scripts.entry((hasher.finish(), tag)).or_default();
    if let Some((_, script)) = same_hash.iter().find(|(known, _)| known == text) {
        return script.clone();
    }
    let script = Script::new(text, kind);
    same_hash.push((text.clone(), script.clone()));
    script
}
