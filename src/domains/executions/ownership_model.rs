//! The protocol by which workers own executions, as a model that is searched exhaustively: workers that begin, die, are taken
//! for dead and are not, and come back late, and messages that are lost, in every order. The transitions are those of
//! `repository::ownership`, `recovery` and `workers`.

use std::collections::HashMap;
use std::hash::Hash;

use stateright::{Checker, Model, Property};

/// Nodes with an effect in the modelled execution.
const STEPS: u8 = 2;
/// Times that the execution is taken from an owner before it is given up.
const PATIENCE: u8 = 3;
/// Messages about it that are on their way at most.
const MESSAGES: u8 = 2;

struct Protocol {
    workers: usize,
    /// What the protocol has against things that go wrong, and this one has not.
    without: Option<Remedy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    Requeue,
    FindLost,
    Tell,
    Start,
    Renew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Status {
    New,
    Running,
    Success,
    Crashed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Worker(usize),
    /// Its process is gone; one that begins in its place is another worker.
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    status: Status,
    owner: Option<Owner>,
    attempt: u8,
    messages: u8,
    /// Steps in the order they were journaled.
    journal: Vec<u8>,
    /// How many effects have left a process.
    effects: u8,
    /// How often the execution was taken from an owner.
    taken_away: u8,
    workers: Vec<Worker>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Worker {
    lease: Lease,
    run: Option<Run>,
}

/// `recovery::Lease`, and whether there is a process at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lease {
    Dead,
    /// It was not renewed in time.
    Over,
    /// Began, or began again: the worker takes nobody for dead yet.
    Newcomer,
    MayJudge,
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
    /// A worker's sweep finds the execution orphaned.
    Requeue(usize),
    /// A worker finds that it has the execution and does not run it.
    FindLost(usize),
    /// A worker's sweep tells of the execution again.
    Tell(usize),
    Start(usize),
    Renew(usize),
    /// The others had their time to be back.
    BecomeJudge(usize),
    LoseLease(usize),
    Die(usize),
    /// A defect: a worker runs the execution no more and says so to nobody.
    Forget(usize),
    LoseMessage,
}

impl Action {
    fn goes_wrong(&self) -> bool {
        matches!(self, Action::LoseLease(_) | Action::Die(_) | Action::Forget(_) | Action::LoseMessage)
    }

    fn remedy(self) -> Option<Remedy> {
        match self {
            Action::Requeue(_) => Some(Remedy::Requeue),
            Action::FindLost(_) => Some(Remedy::FindLost),
            Action::Tell(_) => Some(Remedy::Tell),
            Action::Start(_) => Some(Remedy::Start),
            Action::Renew(_) => Some(Remedy::Renew),
            _ => None,
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            status: Status::New,
            owner: None,
            attempt: 0,
            messages: 1,
            journal: Vec::new(),
            effects: 0,
            taken_away: 0,
            workers: vec![Worker { lease: Lease::Dead, run: None }; self.workers],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, worker) in state.workers.iter().enumerate() {
            if worker.lease == Lease::Dead {
                actions.push(Action::Start(number));
                continue;
            }
            match worker.run {
                None => actions.extend([Action::Claim(number), Action::FindLost(number)]),
                Some(run) if run.in_flight => actions.push(Action::Append(number)),
                Some(run) if run.done < STEPS => actions.push(Action::Effect(number)),
                Some(_) => actions.push(Action::Finish(number)),
            }
            match worker.lease {
                Lease::Over => actions.push(Action::Renew(number)),
                Lease::Newcomer => actions.extend([Action::LoseLease(number), Action::BecomeJudge(number)]),
                _ => actions.extend([Action::LoseLease(number), Action::Requeue(number)]),
            }
            actions.extend([Action::Tell(number), Action::Die(number), Action::Forget(number)]);
        }
        actions.push(Action::LoseMessage);
        actions.retain(|action| action.remedy().is_none_or(|remedy| self.without != Some(remedy)));
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        match action {
            Action::Claim(number) => {
                next.messages = last.messages.checked_sub(1)?;
                if last.status == Status::New {
                    (next.status, next.attempt) = (Status::Running, last.attempt + 1);
                    next.owner = Some(Owner::Worker(number));
                    let done = u8::try_from(last.journal.len()).unwrap();
                    next.workers[number].run = Some(Run { attempt: next.attempt, done, in_flight: false });
                }
            }
            Action::Effect(number) => {
                next.workers[number].run.as_mut()?.in_flight = true;
                next.effects += 1;
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
            Action::Requeue(number) => {
                if last.status != Status::Running || !last.is_orphan(number) {
                    return None;
                }
                next.take_away();
            }
            Action::FindLost(number) => {
                if last.status != Status::Running || last.owner != Some(Owner::Worker(number)) {
                    return None;
                }
                next.take_away();
            }
            Action::Tell(_) if last.status == Status::New => next.tell(),
            Action::Tell(_) => {}
            Action::Start(number) | Action::Renew(number) => next.workers[number].lease = Lease::Newcomer,
            Action::BecomeJudge(number) => next.workers[number].lease = Lease::MayJudge,
            Action::LoseLease(number) => next.workers[number].lease = Lease::Over,
            Action::Die(number) => {
                next.workers[number] = Worker { lease: Lease::Dead, run: None };
                if last.owner == Some(Owner::Worker(number)) {
                    next.owner = Some(Owner::Gone);
                }
            }
            Action::Forget(number) => next.workers[number].run = None,
            Action::LoseMessage => next.messages = last.messages.checked_sub(1)?,
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
                usize::from(state.effects) <= usize::from(STEPS + state.taken_away) + state.stale_effects()
            }),
            Property::sometimes("it ends", |_, state: &State| state.status == Status::Success),
            Property::sometimes("it ends after it was taken away", |_, state: &State| {
                state.status == Status::Success && state.taken_away > 0
            }),
        ]
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

    /// Is its owner dead, as far as this worker can see?
    fn is_orphan(&self, asking: usize) -> bool {
        match self.owner {
            None | Some(Owner::Gone) => true,
            Some(Owner::Worker(owner)) => owner != asking && self.workers[owner].lease == Lease::Over,
        }
    }

    fn take_away(&mut self) {
        (self.owner, self.attempt, self.taken_away) = (None, self.attempt + 1, self.taken_away + 1);
        if self.taken_away < PATIENCE {
            self.status = Status::New;
            self.tell();
        } else {
            self.status = Status::Crashed;
        }
    }

    fn tell(&mut self) {
        self.messages = MESSAGES.min(self.messages + 1);
    }

    fn is_over(&self) -> bool {
        matches!(self.status, Status::Success | Status::Crashed)
    }
}

/// All states, and those from which the model does not come to such an end, though from then on nothing goes wrong any more.
/// (`Property::eventually` does not see paths that end in a circle.)
pub(super) fn without_way_out<M>(
    model: &M,
    goes_wrong: impl Fn(&M::Action) -> bool,
    is_end: impl Fn(&M::State) -> bool,
) -> (Vec<M::State>, Vec<M::State>)
where
    M: Model,
    M::State: Clone + Eq + Hash,
{
    let mut numbers: HashMap<M::State, usize> = HashMap::new();
    let mut states = model.init_states();
    let mut befores: Vec<Vec<usize>> = vec![Vec::new(); states.len()];
    let (mut at, mut actions) = (0, Vec::new());
    numbers.extend(states.iter().cloned().zip(0..));
    while let Some(state) = states.get(at).cloned() {
        model.actions(&state, &mut actions);
        for action in actions.drain(..) {
            let is_remedy = !goes_wrong(&action);
            let Some(next) = model.next_state(&state, action) else { continue };
            let number = *numbers.entry(next).or_insert_with_key(|next| {
                states.push(next.clone());
                befores.push(Vec::new());
                states.len() - 1
            });
            if is_remedy {
                befores[number].push(at);
            }
        }
        at += 1;
    }
    let mut has_way: Vec<bool> = states.iter().map(is_end).collect();
    let mut reached: Vec<usize> = (0..states.len()).filter(|at| has_way[*at]).collect();
    while let Some(at) = reached.pop() {
        for before in &befores[at] {
            if !has_way[*before] {
                has_way[*before] = true;
                reached.push(*before);
            }
        }
    }
    let trapped = states.iter().zip(has_way).filter(|(_, has_way)| !has_way).map(|(state, _)| state.clone()).collect();
    (states, trapped)
}

#[test]
fn no_execution_has_two_owners_or_loses_what_it_did() {
    Protocol { workers: 2, without: None }.checker().spawn_bfs().join().assert_properties();
}

#[test]
fn from_wherever_it_is_an_accepted_execution_comes_to_its_end() {
    let protocol = Protocol { workers: 2, without: None };
    let (states, trapped) = without_way_out(&protocol, Action::goes_wrong, State::is_over);
    assert!(states.len() > 10_000, "{} states are not the whole protocol", states.len());
    assert_eq!(trapped, []);
    // It succeeds, too, unless the last death that it may bring about has happened.
    let (_, trapped) = without_way_out(&protocol, Action::goes_wrong, |state| state.status == Status::Success);
    let is_excused = |state: &State| state.taken_away + 1 >= PATIENCE;
    assert_eq!(trapped.into_iter().find(|state| !is_excused(state)), None);
}

#[test]
fn every_remedy_is_needed() {
    for remedy in [Remedy::Requeue, Remedy::FindLost, Remedy::Tell, Remedy::Start, Remedy::Renew] {
        let protocol = Protocol { workers: 2, without: Some(remedy) };
        let (_, trapped) = without_way_out(&protocol, Action::goes_wrong, State::is_over);
        assert!(!trapped.is_empty(), "without {remedy:?} there is a way out all the same");
    }
}
