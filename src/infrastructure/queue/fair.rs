//! The order in which waiting executions are taken: tenants in turn, each as often as its weight says, and within a tenant
//! by rank. A rank is a time, moved forward for urgent work: so what is urgent comes first, and nothing waits for ever.
//! Pure.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use super::Dispatch;
use crate::common::{ExecutionId, TenantId};

#[derive(Default)]
pub(super) struct FairQueue {
    tenants: HashMap<TenantId, Line>,
    /// Tenants that have something waiting. The first one is being served.
    turns: VecDeque<TenantId>,
    /// What is waiting: a second message about the same execution says nothing new.
    known: HashSet<ExecutionId>,
    weights: HashMap<TenantId, u32>,
    arrivals: u64,
}

/// What waits of one tenant.
#[derive(Default)]
struct Line {
    waiting: BinaryHeap<Reverse<Entry>>,
    /// How many more it is given in this turn.
    left: u32,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    rank: i64,
    arrival: u64,
    execution: ExecutionId,
}

impl FairQueue {
    /// A tenant without a weight has 1.
    pub(super) fn new(weights: HashMap<TenantId, u32>) -> FairQueue {
        FairQueue { weights, ..FairQueue::default() }
    }

    fn weight(&self, tenant: TenantId) -> u32 {
        self.weights.get(&tenant).copied().unwrap_or(1).max(1)
    }

    pub(super) fn push(&mut self, dispatch: Dispatch) {
        let Dispatch { tenant, execution, rank } = dispatch;
        if !self.known.insert(execution) {
            return;
        }
        self.arrivals += 1;
        let weight = self.weight(tenant);
        let line = self.tenants.entry(tenant).or_default();
        if line.waiting.is_empty() {
            line.left = weight;
            self.turns.push_back(tenant);
        }
        line.waiting.push(Reverse(Entry { rank, arrival: self.arrivals, execution }));
    }

    pub(super) fn pop(&mut self) -> Option<Dispatch> {
        let tenant = *self.turns.front()?;
        let weight = self.weight(tenant);
        let line = self.tenants.get_mut(&tenant)?;
        let Reverse(Entry { rank, execution, .. }) = line.waiting.pop()?;
        self.known.remove(&execution);
        line.left = line.left.saturating_sub(1);
        if line.waiting.is_empty() {
            self.tenants.remove(&tenant);
            self.turns.pop_front();
        } else if line.left == 0 {
            line.left = weight;
            self.turns.rotate_left(1);
        }
        Some(Dispatch { tenant, execution, rank })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatch(tenant: TenantId, rank: i64) -> Dispatch {
        Dispatch { tenant, execution: ExecutionId::new(), rank }
    }

    fn tenants_served(queue: &mut FairQueue, count: usize) -> Vec<TenantId> {
        (0..count).map(|_| queue.pop().unwrap().tenant).collect()
    }

    #[test]
    fn a_noisy_tenant_delays_nobody() {
        let (noisy, quiet) = (TenantId::new(), TenantId::new());
        let mut queue = FairQueue::default();
        for rank in 0..10_000 {
            queue.push(dispatch(noisy, rank));
        }
        for rank in 20_000..20_003 {
            queue.push(dispatch(quiet, rank));
        }
        assert_eq!(tenants_served(&mut queue, 7), [noisy, quiet, noisy, quiet, noisy, quiet, noisy]);
    }

    #[test]
    fn weights_are_shares() {
        let (paying, free) = (TenantId::new(), TenantId::new());
        let mut queue = FairQueue::new(HashMap::from([(paying, 3)]));
        for rank in 0..8 {
            queue.push(dispatch(paying, rank));
            queue.push(dispatch(free, rank));
        }
        let served = tenants_served(&mut queue, 8);
        assert_eq!(served, [paying, paying, paying, free, paying, paying, paying, free]);
    }

    #[test]
    fn urgent_work_comes_first_and_old_work_is_not_starved() {
        let tenant = TenantId::new();
        let mut queue = FairQueue::default();
        let minute = 60_000;
        let old = dispatch(tenant, 0);
        queue.push(old);
        // An urgent one each second, worth two minutes of waiting.
        let urgent: Vec<Dispatch> = (0..300).map(|second| dispatch(tenant, second * 1000 - 2 * minute)).collect();
        let mut before_old = 0;
        for dispatch in urgent {
            queue.push(dispatch);
            if queue.pop() == Some(old) {
                break;
            }
            before_old += 1;
        }
        assert_eq!(before_old, 120, "after two minutes the old one is as urgent as any, and came first");
    }

    #[test]
    fn repetitions_are_one() {
        let mut queue = FairQueue::default();
        let once = dispatch(TenantId::new(), 1);
        queue.push(once);
        queue.push(once);
        assert_eq!((queue.pop(), queue.pop(), queue.is_empty()), (Some(once), None, true));
        queue.push(once);
        assert_eq!(queue.pop(), Some(once), "and may come again later");
    }
}
