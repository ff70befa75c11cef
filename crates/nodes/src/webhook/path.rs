//! Paths of webhooks: fixed text, or with parts such as `:id` that match anything.

use millrace_model::{Object, Str};

/// The values of the named parts when `called` fits `path`; `None` when it does not.
pub fn match_path(path: &str, called: &str) -> Option<Object> {
    let parts = |path: &str| -> Vec<Str> { path.trim_matches('/').split('/').map(Str::from).collect() };
    let (wanted, given) = (parts(path), parts(called));
    if wanted.len() != given.len() {
        return None;
    }
    let mut params = Object::new();
    for (wanted, given) in wanted.iter().zip(&given) {
        match wanted.strip_prefix(':') {
            Some(name) if !given.is_empty() => {
                params.insert(name, given.clone());
            }
            _ if wanted == given => {}
            _ => return None,
        }
    }
    Some(params)
}
