//! What the native functions of a realm work on during one evaluation: the scope, and the lists of items handed out.

use std::cell::RefCell;
use std::sync::Arc;

use millrace_model::{Items, Object, Value};
use scoped_tls_hkt::scoped_thread_local;

use crate::Scope;
use crate::script::ScriptHost;

/// One evaluation. Native functions reach it through [`with`], so nothing of it outlives the evaluation.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) scope: &'a Scope<'a>,
    /// Further names that this evaluation may read, such as `$response`.
    pub(crate) extra: Option<&'a Object>,
    /// The object whose fields are being resolved, for `$parameter["&name"]`.
    pub(crate) siblings: Option<&'a Object>,
    /// Is missing data `undefined` instead of an error?
    pub(crate) lenient: bool,
    /// How many evaluations are around this one.
    pub(crate) depth: u32,
    pub(crate) lists: &'a RefCell<Lists>,
    /// Lines that the running script logged; `None` for expressions.
    pub(crate) console: Option<&'a RefCell<Vec<String>>>,
}

scoped_thread_local!(static FRAME: for<'a> &'a Frame<'a>);
scoped_thread_local!(static mut HOST: for<'a> &'a mut (dyn ScriptHost + 'a));

/// Makes `frame` the current one while `run` runs.
pub(crate) fn enter<R>(frame: &Frame<'_>, run: impl FnOnce() -> R) -> R {
    FRAME.set(frame, run)
}

/// Reads the current frame; `None` outside an evaluation.
pub(crate) fn with<R>(read: impl FnOnce(&Frame<'_>) -> R) -> Option<R> {
    FRAME.is_set().then(|| FRAME.with(|frame| read(frame)))
}

/// Makes `host` the one that the script which `run` runs may call.
pub(crate) fn with_host<R>(host: &mut dyn ScriptHost, run: impl FnOnce() -> R) -> R {
    HOST.set(host, run)
}

/// The host of the running script; `None` for expressions, and while the host is being called.
pub(crate) fn host<R>(call: impl FnOnce(&mut dyn ScriptHost) -> R) -> Option<R> {
    HOST.is_set().then(|| HOST.with(call))
}

/// Lists of items that JavaScript refers to by number.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    next: u32,
    entries: Vec<List>,
}

#[derive(Clone, Debug)]
pub(crate) struct List {
    id: u32,
    pub(crate) items: Items,
    /// Set for an input of the current node: its items count as made from themselves.
    pub(crate) input: Option<usize>,
}

impl Lists {
    /// The number of a list, the same for the same list.
    pub(crate) fn id_of(&mut self, items: &Items, input: Option<usize>) -> u32 {
        let known = self.entries.iter().rev().find(|list| list.input == input && Arc::ptr_eq(&list.items, items));
        if let Some(list) = known {
            return list.id;
        }
        let id = self.next;
        self.next += 1;
        self.entries.push(List { id, items: Arc::clone(items), input });
        id
    }

    pub(crate) fn get(&self, id: u32) -> Option<&List> {
        self.entries.iter().rev().find(|list| list.id == id)
    }

    /// Lets go of all lists. Numbers are not used again.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<'a> Frame<'a> {
    pub(crate) fn new(scope: &'a Scope<'a>, lists: &'a RefCell<Lists>) -> Frame<'a> {
        Frame { scope, extra: None, siblings: None, lenient: false, depth: 0, lists, console: None }
    }

    /// Is this the `test` of a workflow in the editor, where pinned data counts?
    pub(crate) fn is_manual(&self) -> bool {
        self.scope.globals.mode == "manual"
    }

    /// Does the workflow hand out items as their JSON only?
    pub(crate) fn is_combined(&self) -> bool {
        self.scope.workflow.settings.document.get("binaryMode").and_then(Value::as_str) == Some("combined")
    }
}
