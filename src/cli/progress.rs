//! The progress line of a run: which node is executing. Drawn on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use millrace_engine::{NodeTask, Run};
use millrace_runner::Observer;

pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Hidden where standard error is no terminal; drawn from a thread of its own, so that nothing waits for it.
    pub(super) fn start() -> Progress {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress(bar)
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Progress {
    fn started(&self, run: &Run, task: &NodeTask) {
        if !self.0.is_hidden() {
            let items: usize = task.inputs.iter().flatten().map(|items| items.len()).sum();
            let name = run.workflow().node(task.node).name.clone();
            self.0.set_message(format!("{name} ({items} items, node run {})", task.execution_index + 1));
        }
    }
}
