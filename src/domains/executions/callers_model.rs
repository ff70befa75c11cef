//! How callers that were put aside are woken, as a model that is searched exhaustively: the end of what was called may come
//! before, while or after its caller is put aside, and either process may die between any two writes.

use stateright::Model;

use super::ownership_model::without_way_out;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Caller {
    New,
    Running,
    /// It has seen that what it called is not over, and is about to be put aside.
    Leaving,
    Waiting,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Called {
    Waiting,
    Running,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State {
    caller: Caller,
    called: Called,
    /// The caller's process is about to look whether it was put aside too late.
    looks: bool,
    /// The called execution's process is about to wake the caller.
    wakes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Claim,
    /// The caller makes its call, or makes it again.
    Call,
    PutAside,
    Look,
    GoOn,
    End,
    Wake,
    Sweep,
    KillCaller,
    KillCalled,
}

struct Protocol {
    without: &'static [Action],
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State { caller: Caller::New, called: Called::Waiting, looks: false, wakes: false }]
    }

    fn actions(&self, _: &State, actions: &mut Vec<Action>) {
        use Action::{Call, Claim, End, GoOn, KillCalled, KillCaller, Look, PutAside, Sweep, Wake};
        actions.extend([Claim, Call, PutAside, Look, GoOn, End, Wake, Sweep, KillCaller, KillCalled]);
        actions.retain(|action| !self.without.contains(action));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = *last;
        // The compare-and-set of whoever wakes it.
        let woken = if last.caller == Caller::Waiting { Caller::New } else { last.caller };
        match (action, last.caller, last.called) {
            (Action::Claim, Caller::New, _) => next.caller = Caller::Running,
            (Action::Call, Caller::Running, Called::Over) => next.caller = Caller::Over,
            (Action::Call, Caller::Running, _) => next.caller = Caller::Leaving,
            (Action::PutAside, Caller::Leaving, _) => (next.caller, next.looks) = (Caller::Waiting, true),
            (Action::Look, _, Called::Over) if last.looks => (next.caller, next.looks) = (woken, false),
            (Action::Look, ..) if last.looks => next.looks = false,
            (Action::GoOn, _, Called::Waiting) => next.called = Called::Running,
            (Action::End, _, Called::Running) => (next.called, next.wakes) = (Called::Over, true),
            (Action::Wake, ..) if last.wakes => (next.caller, next.wakes) = (woken, false),
            (Action::Sweep, Caller::Waiting, Called::Over) => next.caller = Caller::New,
            (Action::KillCaller, Caller::Running | Caller::Leaving, _) => {
                (next.caller, next.looks) = (Caller::New, false)
            }
            (Action::KillCaller, ..) => next.looks = false,
            (Action::KillCalled, _, Called::Running) => next.called = Called::Waiting,
            (Action::KillCalled, ..) => next.wakes = false,
            _ => return None,
        }
        (next != *last).then_some(next)
    }
}

fn trapped(without: &'static [Action]) -> Vec<State> {
    let goes_wrong = |action: &Action| matches!(action, Action::KillCaller | Action::KillCalled);
    without_way_out(&Protocol { without }, goes_wrong, |state| state.caller == Caller::Over).1
}

#[test]
fn a_caller_that_was_put_aside_goes_on_whatever_happens() {
    assert_eq!(trapped(&[]), []);
}

#[test]
fn without_deaths_nobody_needs_the_sweep() {
    assert_eq!(trapped(&[Action::Sweep, Action::KillCaller, Action::KillCalled]), []);
    assert!(!trapped(&[Action::Sweep, Action::KillCaller, Action::KillCalled, Action::Look]).is_empty());
    assert!(!trapped(&[Action::Sweep, Action::KillCaller, Action::KillCalled, Action::Wake]).is_empty());
}

#[test]
fn with_deaths_the_sweep_is_needed() {
    assert!(!trapped(&[Action::Sweep, Action::KillCaller]).is_empty());
    assert!(!trapped(&[Action::Sweep, Action::KillCalled]).is_empty());
}
