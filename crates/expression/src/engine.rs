//! Engines of JavaScript, one for the code of one run. To make one costs more than most runs take, so an engine is set back
//! to its first moment when its run is over, and serves another.

use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;

use millrace_model::ExecutionError;
use rquickjs::{Context, Runtime};

use crate::deadline::Deadline;
use crate::heap::Heap;
use crate::realm::{self, Kind};
use crate::sandbox::zone_of;
use crate::{Clock, Limits, Scope, thrown};

/// Bytes of garbage after which cycles are looked for; what is in no cycle goes at once.
const COLLECT_AFTER: usize = 4 << 20;

pub(crate) struct Engine {
    // Comes before the runtime, so that it is dropped first.
    context: Context,
    runtime: Runtime,
    deadline: Deadline,
    kind: Kind,
    /// Set where it can be set back.
    kept: Option<Heap>,
}

/// Engines without a run, as on their first moment.
static SPARE: [Mutex<Vec<Engine>>; 2] = [const { Mutex::new(Vec::new()) }; 2];

fn spare(kind: Kind) -> &'static Mutex<Vec<Engine>> {
    let [expressions, scripts] = &SPARE;
    match kind {
        Kind::Expression => expressions,
        Kind::Script => scripts,
    }
}

impl Engine {
    /// One for a run with these limits.
    pub(crate) fn take(kind: Kind, limits: Limits, scope: &Scope<'_>) -> Result<Engine, ExecutionError> {
        let found = match scope.globals.clock {
            Clock::System => spare(kind).lock().unwrap_or_else(PoisonError::into_inner).pop(),
            Clock::Frozen(_) => None,
        };
        let engine = match found {
            Some(engine) => engine,
            None => Engine::start(kind, scope).ok_or_else(thrown::engine_failed)?,
        };
        engine.runtime.set_memory_limit(limits.memory);
        engine.runtime.set_max_stack_size(limits.stack);
        Ok(engine)
    }

    fn start(kind: Kind, scope: &Scope<'_>) -> Option<Engine> {
        let (heap, handle) = Heap::new()?;
        let runtime = Runtime::new_with_alloc(heap).ok()?;
        runtime.set_gc_threshold(COLLECT_AFTER);
        let deadline = Deadline::default();
        let watched = deadline.clone();
        runtime.set_interrupt_handler(Some(Box::new(move || watched.check())));
        let context = realm::create(&runtime, kind, scope.globals, &zone_of(scope)).ok()?;
        // The frozen clock of one run is not that of another.
        let is_usual = matches!(scope.globals.clock, Clock::System);
        let kept = (is_usual && handle.keep()).then_some(handle);
        Some(Engine { context, runtime, deadline, kind, kept })
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// Ends its run: it is set back for another, where that can be done and another may come soon.
    pub(crate) fn give_back(self) {
        let Some(heap) = &self.kept else { return };
        if std::thread::panicking() || !realm::let_go(&self.context) {
            return;
        }
        #[expect(unsafe_code, reason = "see `Heap::set_back`")]
        // SAFETY: nothing runs, since this is the only handle to the engine. `let_go` has given up all objects that Rust held
        // of the run, and says whether there are functions of Rust that only the run's memory knows of; those from before
        // the run are held by the realm, too, so that no code of a run can have freed them.
        unsafe {
            heap.set_back();
        }
        let mut spare = spare(self.kind).lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < most_spare() {
            spare.push(self);
        }
    }
}

/// Runs take engines and give them back on the threads that run them.
fn most_spare() -> usize {
    available_parallelism().map_or(4, |threads| threads.get() * 4)
}

/// How many engines wait for a run.
#[cfg(test)]
pub(crate) fn spares(kind: Kind) -> usize {
    spare(kind).lock().unwrap_or_else(PoisonError::into_inner).len()
}
