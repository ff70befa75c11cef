//! Which schedules fire together, how often, and what would keep them apart; and how many fire in which hour. Pure: it is
//! given the times, with their jitter.

use std::collections::{BTreeMap, HashMap};

use super::dto::{Conflict, ConflictKind, HourLoad, ScheduleName, Suggestion};
use crate::common::{ScheduleId, Timestamp, WorkflowId};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// Conflicts told of, the most frequent first.
const MAX_CONFLICTS: usize = 100;
/// Schedules named in a conflict.
const MAX_NAMED: usize = 20;
/// Offsets in minutes that are tried to keep a schedule apart.
const MAX_OFFSET: i64 = 59;

/// A schedule and its firings within the horizon.
#[derive(Debug)]
pub(super) struct Watched {
    pub id: ScheduleId,
    pub name: String,
    pub workflow: WorkflowId,
    pub uses: Uses,
    /// In order.
    pub fires: Vec<Timestamp>,
}

/// What a workflow needs that others may need, too.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    /// By id, else by name.
    pub credentials: Vec<String>,
    /// The pool of workers that it is pinned to.
    pub pool: Option<String>,
}

impl Watched {
    fn minutes(&self) -> impl Iterator<Item = i64> {
        let mut last = None;
        let minutes = self.fires.iter().map(|at| at.as_millis().div_euclid(MINUTE_MS));
        minutes.filter(move |minute| last.replace(*minute) != Some(*minute))
    }
}

/// What the schedules of a group share besides the minute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shared {
    Minute,
    Workflow(WorkflowId),
    Credential(String),
    Pool(String),
}

/// How often, and when first, the same schedules are due together.
struct Group {
    count: u32,
    first: i64,
}

/// Groups of schedules that fire in the same minute, those that meet most often first. `with`: only those that this one
/// belongs to.
pub(super) fn find_conflicts(watched: &[Watched], with: Option<ScheduleId>) -> Vec<Conflict> {
    let asked = watched.iter().position(|schedule| Some(schedule.id) == with);
    let mut by_minute: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (at, schedule) in watched.iter().enumerate() {
        for minute in schedule.minutes() {
            by_minute.entry(minute).or_default().push(at);
        }
    }
    let mut groups: HashMap<(Shared, Vec<usize>), Group> = HashMap::new();
    for (minute, due) in by_minute.iter().filter(|(_, due)| due.len() > 1) {
        for (shared, members) in sharing(watched, due) {
            if asked.is_some_and(|asked| !members.contains(&asked)) {
                continue;
            }
            let group = groups.entry((shared, members)).or_insert(Group { count: 0, first: *minute });
            group.count += 1;
        }
    }
    let mut sorted: Vec<_> = groups.into_iter().collect();
    sorted.sort_by(|((one, own), left), ((other, others), right)| {
        right.count.cmp(&left.count).then_with(|| other.cmp(one)).then_with(|| own.cmp(others))
    });
    sorted.truncate(MAX_CONFLICTS);
    sorted
        .into_iter()
        .map(|((shared, members), group)| conflict(watched, &by_minute, shared, &members, &group, asked))
        .collect()
}

/// The schedules of a minute by what they share: all of them, those of one workflow, of one credential, of one pool.
fn sharing(watched: &[Watched], due: &[usize]) -> Vec<(Shared, Vec<usize>)> {
    let mut shared: BTreeMap<Shared, Vec<usize>> = BTreeMap::from([(Shared::Minute, due.to_vec())]);
    for at in due {
        let Some(schedule) = watched.get(*at) else { continue };
        shared.entry(Shared::Workflow(schedule.workflow)).or_default().push(*at);
        if let Some(pool) = &schedule.uses.pool {
            shared.entry(Shared::Pool(pool.clone())).or_default().push(*at);
        }
        for credential in &schedule.uses.credentials {
            shared.entry(Shared::Credential(credential.clone())).or_default().push(*at);
        }
    }
    let is_one_workflow = |members: &[usize]| {
        let mut workflows = members.iter().filter_map(|at| watched.get(*at)).map(|schedule| schedule.workflow);
        let first = workflows.next();
        workflows.all(|workflow| Some(workflow) == first)
    };
    let meet = shared.into_iter().filter(|(shared, members)| {
        // What a workflow shares with itself is no news.
        let is_used = matches!(shared, Shared::Credential(_) | Shared::Pool(_));
        members.len() > 1 && !(is_used && is_one_workflow(members))
    });
    meet.collect()
}

fn conflict(
    watched: &[Watched],
    by_minute: &BTreeMap<i64, Vec<usize>>,
    shared: Shared,
    members: &[usize],
    group: &Group,
    asked: Option<usize>,
) -> Conflict {
    let all = || members.iter().filter_map(|at| watched.get(*at));
    // The last one, too: it may be what was asked about.
    let named = all().take(MAX_NAMED - 1).chain(all().skip(MAX_NAMED - 1).last());
    let (kind, resource) = match shared {
        Shared::Minute => (ConflictKind::Minute, None),
        Shared::Workflow(workflow) => (ConflictKind::Workflow, Some(workflow.to_string())),
        Shared::Credential(credential) => (ConflictKind::Credential, Some(credential)),
        Shared::Pool(pool) => (ConflictKind::Pool, Some(pool)),
    };
    let asked = asked.and_then(|asked| watched.get(asked));
    let moved = asked.or_else(|| all().max_by_key(|schedule| schedule.id));
    Conflict {
        kind,
        resource,
        schedules: named.map(|schedule| ScheduleName { id: schedule.id, name: schedule.name.clone() }).collect(),
        size: members.len(),
        count: group.count,
        first_at: Timestamp::from_millis(group.first.saturating_mul(MINUTE_MS)),
        suggestion: moved.map(|moved| suggest(moved, by_minute)),
    }
}

/// The smallest offset at which a schedule meets the fewest others.
fn suggest(schedule: &Watched, by_minute: &BTreeMap<i64, Vec<usize>>) -> Suggestion {
    let own: Vec<i64> = schedule.minutes().collect();
    let is_own = |minute: &i64| own.binary_search(minute).is_ok();
    let met = |offset: i64| {
        let moved = own.iter().map(|minute| minute + offset);
        let taken = moved.filter(|minute| {
            let there = by_minute.get(minute).map_or(0, Vec::len);
            there > usize::from(is_own(minute))
        });
        taken.count()
    };
    let now = met(0);
    let best = (1..=MAX_OFFSET).map(|offset| (met(offset), offset)).min().unwrap_or((now, 0));
    let name = &schedule.name;
    let (left, offset) = if best.0 < now { best } else { (now, 0) };
    let text = match (offset, left) {
        (0, _) => format!(
            "No offset keeps \"{name}\" apart: it is due too often. Give it a jitter (`jitterSeconds`), or make it rarer."
        ),
        (offset, 0) => format!("Put \"{name}\" off by {offset} min: then it meets no other schedule."),
        (offset, left) => format!(
            "Put \"{name}\" off by {offset} min: then it meets others at {left} of its {} due times. A jitter \
             (`jitterSeconds`) spreads the rest.",
            own.len()
        ),
    };
    Suggestion { schedule_id: schedule.id, offset_minutes: offset, text }
}

/// What is due in an hour.
#[derive(Default)]
struct Hour {
    firings: u32,
    by_minute: HashMap<i64, u32>,
    schedules: usize,
    /// The schedule counted last.
    last: Option<usize>,
}

/// Firings and the busiest minute of each hour of a range that has any.
pub(super) fn load(watched: &[Watched]) -> Vec<HourLoad> {
    let mut hours: BTreeMap<i64, Hour> = BTreeMap::new();
    for (at, schedule) in watched.iter().enumerate() {
        for at_time in &schedule.fires {
            let millis = at_time.as_millis();
            let hour = hours.entry(millis.div_euclid(HOUR_MS)).or_default();
            hour.firings += 1;
            *hour.by_minute.entry(millis.div_euclid(MINUTE_MS)).or_default() += 1;
            hour.schedules += usize::from(hour.last.replace(at) != Some(at));
        }
    }
    let loads = hours.into_iter().map(|(number, hour)| {
        let busiest = hour.by_minute.into_iter().max_by_key(|(minute, count)| (*count, -minute)).unwrap_or_default();
        HourLoad {
            hour: Timestamp::from_millis(number.saturating_mul(HOUR_MS)),
            firings: hour.firings,
            schedules: hour.schedules,
            busiest_minute: Timestamp::from_millis(busiest.0.saturating_mul(MINUTE_MS)),
            firings_in_busiest_minute: busiest.1,
        }
    });
    loads.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schedule due at these minutes.
    fn watched(number: u128, workflow: u128, credentials: &[&str], minutes: impl IntoIterator<Item = i64>) -> Watched {
        Watched {
            id: ScheduleId::from_uuid(uuid::Uuid::from_u128(number)),
            name: format!("S{number}"),
            workflow: WorkflowId::from_uuid(uuid::Uuid::from_u128(workflow)),
            uses: Uses { credentials: credentials.iter().map(ToString::to_string).collect(), pool: None },
            fires: minutes.into_iter().map(|minute| Timestamp::from_millis(minute * MINUTE_MS + 500)).collect(),
        }
    }

    fn found(watched: &[Watched]) -> Vec<(ConflictKind, usize, u32)> {
        find_conflicts(watched, None).iter().map(|conflict| (conflict.kind, conflict.size, conflict.count)).collect()
    }

    #[test]
    fn schedules_meet_by_minute_workflow_and_credential() {
        let daily =
            |number, workflow, credentials| watched(number, workflow, credentials, (0..7).map(|day| day * 1440));
        assert_eq!(found(&[daily(1, 1, &[]), watched(2, 2, &[], [1, 2, 3])]), []);
        assert_eq!(found(&[daily(1, 1, &[]), daily(2, 2, &[])]), [(ConflictKind::Minute, 2, 7)]);
        let mut kinds = found(&[daily(1, 1, &["bank"]), daily(2, 2, &["bank"]), daily(3, 2, &[])]);
        kinds.sort_by_key(|(kind, ..)| format!("{kind:?}"));
        let expected = [(ConflictKind::Credential, 2, 7), (ConflictKind::Minute, 3, 7), (ConflictKind::Workflow, 2, 7)];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn workflows_pinned_to_one_pool_of_workers_share_it() {
        let pinned = |number, workflow, pool: &str| {
            let mut schedule = watched(number, workflow, &[], [0, 1440]);
            schedule.uses.pool = Some(pool.to_owned());
            schedule
        };
        let of_pools = |all: &[Watched]| {
            let conflicts = find_conflicts(all, None).into_iter();
            let pools = conflicts.filter(|conflict| conflict.kind == ConflictKind::Pool);
            pools.map(|conflict| (conflict.resource.unwrap(), conflict.size, conflict.count)).collect::<Vec<_>>()
        };
        let all = [pinned(1, 1, "gpu"), pinned(2, 2, "gpu"), pinned(3, 3, "other"), watched(4, 4, &[], [0])];
        assert_eq!(of_pools(&all), [("gpu".to_owned(), 2, 2)]);
        assert_eq!(of_pools(&[pinned(1, 1, "gpu"), pinned(2, 1, "gpu")]), []);
    }

    #[test]
    fn several_firings_of_one_schedule_in_a_minute_are_no_conflict() {
        let mut often = watched(1, 1, &[], [5]);
        often.fires.push(Timestamp::from_millis(5 * MINUTE_MS + 900));
        assert_eq!(found(&[often, watched(2, 2, &[], [6])]), []);
    }

    #[test]
    fn the_newest_is_asked_to_move_to_where_nobody_is() {
        let hourly = || (0..24).map(|hour| hour * 60);
        let busy = watched(1, 1, &[], hourly().chain((0..24).map(|hour| hour * 60 + 1)));
        let conflicts = find_conflicts(&[busy, watched(2, 2, &[], hourly())], None);
        let suggestion = conflicts[0].suggestion.as_ref().unwrap();
        assert_eq!((suggestion.offset_minutes, suggestion.text.contains("no other")), (2, true), "{suggestion:?}");
        let every_minute = || watched(3, 3, &[], 0..1440);
        let suggestion =
            find_conflicts(&[every_minute(), watched(4, 4, &[], 0..1440)], None)[0].suggestion.clone().unwrap();
        assert!(suggestion.offset_minutes == 0 || suggestion.text.contains("meets others"), "{suggestion:?}");
    }

    #[test]
    fn what_is_asked_about_is_found_among_many() {
        let mut all: Vec<Watched> = (1..=30).map(|number| watched(number, number, &[], [0])).collect();
        // So many other groups that meet more often.
        for pair in 0..150_u128 {
            let minutes = || (0..3).map(|at| 1000 + i64::try_from(pair).unwrap() * 10 + at);
            all.extend([1, 2].map(|one| watched(1000 + pair * 2 + one, 1000 + pair * 2 + one, &[], minutes())));
        }
        all.push(watched(9999, 9999, &[], [0]));
        let id = all.last().unwrap().id;
        let conflicts = find_conflicts(&all, Some(id));
        let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
        assert_eq!((conflict.size, conflict.schedules.len(), conflict.schedules.last().unwrap().id), (31, 20, id));
        assert_eq!(conflict.suggestion.as_ref().unwrap().schedule_id, id);
        assert_eq!(find_conflicts(&all, None).len(), MAX_CONFLICTS);
    }

    #[test]
    fn the_load_of_an_hour_names_its_busiest_minute() {
        let loads = load(&[watched(1, 1, &[], [0, 1, 61]), watched(2, 2, &[], [1])]);
        let seen: Vec<_> =
            loads.iter().map(|load| (load.firings, load.schedules, load.firings_in_busiest_minute)).collect();
        assert_eq!(seen, [(3, 2, 2), (1, 1, 1)]);
        assert_eq!(loads[0].busiest_minute.as_millis(), MINUTE_MS);
    }
}
