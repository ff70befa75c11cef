//! The life of an execution: its states, which may follow which, and why it runs. Pure.

use crate::common::names::names;

names! {
    /// Where an execution stands; n8n's names.
    Status {
        /// Accepted and stored; waits for a worker.
        New = "new",
        /// A worker has it.
        Running = "running",
        /// Paused by a node until a time or a call; holds no worker.
        Waiting = "waiting",
        Success = "success",
        Error = "error",
        /// Stopped on request, or ended by its time limit.
        Canceled = "canceled",
        /// Its process died, and it could not be taken up again.
        Crashed = "crashed",
        /// One that another version of this server gave it: nothing is done with it here.
        Unknown = "unknown",
    }
}

names! {
    /// What began an execution; n8n's names.
    Mode {
        Cli = "cli",
        /// Runs because another execution failed.
        Error = "error",
        /// Called by another workflow.
        Integrated = "integrated",
        /// Runs because another execution ended.
        Internal = "internal",
        /// Started by a person or over the API.
        Manual = "manual",
        /// Runs again what failed before.
        Retry = "retry",
        Trigger = "trigger",
        Webhook = "webhook",
        /// As only another version of this server knows: it does not run here.
        Unknown = "unknown",
    }
}

names! {
    /// What a caller waits for.
    Interest {
        /// Whatever comes first: a node's answer, or the end.
        FirstAnswer = "first-answer",
        /// The end.
        End = "end",
        /// What nodes send of the answer, and the end.
        Parts = "parts",
    }
}

names! {
    /// How an attempt came to no end.
    Incident {
        /// Its process died, or was not heard of for too long.
        Died = "died",
        /// Its process was shut down and handed it on.
        HandedOn = "handed-on",
    }
}

impl Status {
    /// States that may come next. Terminal states have none; every other can reach one.
    pub const fn successors(self) -> &'static [Status] {
        match self {
            // `Error`: refused before its first node, such as when its workflow version is gone.
            Status::New => &[Status::Running, Status::Canceled, Status::Error],
            // `New`: handed back, or taken from a dead process to be run again.
            Status::Running => {
                &[Status::Success, Status::Error, Status::Canceled, Status::Waiting, Status::Crashed, Status::New]
            }
            Status::Waiting => &[Status::New, Status::Running, Status::Canceled, Status::Error],
            Status::Success | Status::Error | Status::Canceled | Status::Crashed | Status::Unknown => &[],
        }
    }

    pub fn may_become(self, next: Status) -> bool {
        self.successors().contains(&next)
    }

    /// Ended for good.
    pub const fn is_terminal(self) -> bool {
        self.successors().is_empty()
    }

    /// n8n's `finished`: ended, and well.
    pub const fn is_success(self) -> bool {
        matches!(self, Status::Success)
    }
}

impl Mode {
    /// A production run: static data is saved, error workflows run, pinned data is ignored.
    pub const fn is_production(self) -> bool {
        !matches!(self, Mode::Manual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::names::UnknownName;

    #[test]
    fn every_state_reaches_an_end() {
        for start in Status::ALL {
            let mut reached = vec![*start];
            let mut at = 0;
            while let Some(state) = reached.get(at) {
                for next in state.successors() {
                    if !reached.contains(next) {
                        reached.push(*next);
                    }
                }
                at += 1;
            }
            assert!(reached.iter().any(|state| state.is_terminal()), "{start} has no way out");
        }
    }

    #[test]
    fn an_end_is_an_end() {
        for end in Status::ALL.iter().filter(|state| state.is_terminal()) {
            assert!(Status::ALL.iter().all(|next| !end.may_become(*next)), "{end}");
        }
        assert!(Status::Waiting.may_become(Status::Running) && !Status::Waiting.may_become(Status::Success));
    }

    #[test]
    fn names_read_what_they_write() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::to_string(status).unwrap(), format!("\"{status}\""));
        }
        for mode in Mode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(*mode));
        }
        assert_eq!("queued".parse::<Status>(), Err(UnknownName));
    }
}
