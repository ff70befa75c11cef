//! The protocol by which workers own executions, as a model that is searched exhaustively: workers that die, that are taken
//! for dead and are not, and that come back late, in every order. The transitions are those of `repository::ownership`.

use stateright::{Checker, Model, Property};

/// Nodes with an effect in the modelled execution.
const STEPS: u8 = 2;
/// Owners after which the search goes no further.
const ATTEMPTS: u8 = 6;

struct Protocol {
    workers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Status {
    New,
    Running,
    Success,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    status: Status,
    owner: Option<usize>,
    attempt: u8,
    /// Steps in the order they were journaled.
    journal: Vec<u8>,
    /// Steps whose effect has left a process, each time it did.
    effects: Vec<u8>,
    /// How often the execution was taken from an owner.
    taken_away: u8,
    workers: Vec<Worker>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Worker {
    has_lease: bool,
    run: Option<Run>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Run {
    attempt: u8,
    done: u8,
    /// The effect of the next step has left, and is not journaled yet.
    in_flight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Claim(usize),
    Effect(usize),
    Append(usize),
    Finish(usize),
    LoseLease(usize),
    Renew(usize),
    Die(usize),
    /// Some worker's sweep finds the execution orphaned.
    Requeue,
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            status: Status::New,
            owner: None,
            attempt: 0,
            journal: Vec::new(),
            effects: Vec::new(),
            taken_away: 0,
            workers: vec![Worker { has_lease: true, run: None }; self.workers],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, worker) in state.workers.iter().enumerate() {
            match worker.run {
                None => actions.push(Action::Claim(number)),
                Some(run) if run.in_flight => actions.push(Action::Append(number)),
                Some(run) if run.done < STEPS => actions.push(Action::Effect(number)),
                Some(_) => actions.push(Action::Finish(number)),
            }
            actions.push(if worker.has_lease { Action::LoseLease(number) } else { Action::Renew(number) });
            actions.push(Action::Die(number));
        }
        actions.push(Action::Requeue);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Claim(number) => {
                if last.status != Status::New || !last.workers[number].has_lease {
                    return None;
                }
                (next.status, next.owner, next.attempt) = (Status::Running, Some(number), last.attempt + 1);
                let done = u8::try_from(last.journal.len()).unwrap();
                next.workers[number].run = Some(Run { attempt: next.attempt, done, in_flight: false });
            }
            Action::Effect(number) => {
                let run = next.workers[number].run.as_mut()?;
                run.in_flight = true;
                let step = run.done;
                next.effects.push(step);
            }
            Action::Append(number) => {
                let run = last.workers[number].run?;
                if last.owns(run) {
                    next.journal.push(run.done);
                    next.workers[number].run = Some(Run { done: run.done + 1, in_flight: false, ..run });
                } else {
                    next.workers[number].run = None;
                }
            }
            Action::Finish(number) => {
                let run = last.workers[number].run?;
                if last.owns(run) {
                    (next.status, next.owner) = (Status::Success, None);
                }
                next.workers[number].run = None;
            }
            Action::LoseLease(number) => next.workers[number].has_lease = false,
            Action::Renew(number) => next.workers[number].has_lease = true,
            Action::Die(number) => next.workers[number] = Worker { has_lease: false, run: None },
            Action::Requeue => {
                let is_orphan = last.owner.is_none_or(|owner| !last.workers[owner].has_lease);
                if last.status != Status::Running || !is_orphan {
                    return None;
                }
                (next.status, next.owner, next.attempt) = (Status::New, None, last.attempt + 1);
                next.taken_away += 1;
            }
        }
        (next != *last).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        vec![
            Property::always("one owner at a time can write", |_, state: &State| {
                state.workers.iter().filter_map(|worker| worker.run).filter(|run| state.owns(*run)).count() <= 1
            }),
            Property::always("no step is journaled twice or out of order", |_, state: &State| {
                state.journal.iter().copied().eq(0..u8::try_from(state.journal.len()).unwrap())
            }),
            Property::always("what is over is whole", |_, state: &State| {
                state.status != Status::Success || state.journal.len() == usize::from(STEPS)
            }),
            Property::always("an effect comes again only when its owner was lost", |_, state: &State| {
                state.effects.len() <= usize::from(STEPS + state.taken_away) + state.stale_effects()
            }),
            Property::always("no state is without a way out", |_, state: &State| match state.status {
                // A worker that is free or lives again claims it; a sweep queues it; an owner that lives goes on.
                Status::New | Status::Success => state.owner.is_none(),
                Status::Running => state.owner.is_some(),
            }),
            Property::sometimes("it ends", |_, state: &State| state.status == Status::Success),
            Property::sometimes("it ends after it was taken away", |_, state: &State| {
                state.status == Status::Success && state.taken_away > 0
            }),
        ]
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.attempt < ATTEMPTS
    }
}

impl State {
    /// The compare-and-set of every write.
    fn owns(&self, run: Run) -> bool {
        self.status == Status::Running && self.attempt == run.attempt
    }

    /// Effects under way in workers that have lost the execution and do not know yet: one each.
    fn stale_effects(&self) -> usize {
        self.workers.iter().filter_map(|worker| worker.run).filter(|run| run.in_flight && !self.owns(*run)).count()
    }
}

#[test]
fn no_execution_is_lost_and_none_has_two_owners() {
    Protocol { workers: 2 }.checker().spawn_bfs().join().assert_properties();
}
