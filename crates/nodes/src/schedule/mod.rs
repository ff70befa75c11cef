//! When schedule nodes fire, as data: cron expressions with an optional pace, or plain intervals. Who keeps the clock is
//! the server.

mod moment;
mod recurrence;
#[cfg(test)]
mod tests;

pub use moment::moment;
pub use recurrence::{Recurrence, Unit};

use millrace_model::{ExecutionError, Object, Str, Value, format_number, to_index};

/// A rule after which a node fires.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    Cron {
        /// Five or six fields (seconds first where there are six), in the zone of the workflow.
        expression: Str,
        /// Of the times that the expression gives, only those at this pace.
        pace: Option<Recurrence>,
    },
    /// Again and again after so many milliseconds.
    Every { milliseconds: u64 },
}

/// The rules of a Schedule Trigger. `spread` (any number, such as a hash of the node's id) chooses the second, and
/// what else the user left open, so that not all workflows fire at once.
pub fn of_schedule_trigger(parameters: &Object, spread: u64) -> Vec<Rule> {
    let intervals = parameters.get("rule").and_then(|rule| rule.get("interval")).and_then(Value::as_array);
    intervals.unwrap_or_default().iter().map(|interval| of_interval(interval, spread)).collect()
}

fn of_interval(interval: &Value, spread: u64) -> Rule {
    let number = |key: &str| interval.get(key).and_then(Value::as_f64).and_then(to_index);
    let size = |key: &str, default: usize| number(key).unwrap_or(default).max(1);
    let second = spread % 60;
    let minute = || number("triggerAtMinute").map_or(spread / 60 % 60, as_u64);
    let hour = || number("triggerAtHour").map_or(spread / 3600 % 24, as_u64);
    let cron = |expression: String, pace: Option<Recurrence>| Rule::Cron { expression: expression.into(), pace };
    let pace = |size: usize, unit: Unit| (size > 1).then_some(Recurrence { size, unit });
    match interval.get("field").and_then(Value::as_str).unwrap_or("days") {
        "cronExpression" => {
            let expression = interval.get("expression").map(Value::to_js_string).unwrap_or_default();
            cron(expression.trim().to_owned(), None)
        }
        "seconds" => cron(format!("*/{} * * * * *", size("secondsInterval", 30)), None),
        "minutes" => cron(format!("{second} */{} * * * *", size("minutesInterval", 5)), None),
        "hours" => {
            let every = size("hoursInterval", 1);
            cron(format!("{second} {} {} * * *", minute(), steps(every, 24)), pace(every, Unit::Hours))
        }
        "weeks" => {
            let days = interval.get("triggerAtDay").and_then(Value::as_array).unwrap_or_default();
            let days: Vec<Str> = days.iter().map(Value::to_js_string).collect();
            let days = if days.is_empty() { "*".to_owned() } else { days.join(",") };
            let every = size("weeksInterval", 1);
            cron(format!("{second} {} {} * * {days}", minute(), hour()), pace(every, Unit::Weeks))
        }
        "months" => {
            let every = size("monthsInterval", 1);
            let day = number("triggerAtDayOfMonth").map_or(spread / 86_400 % 28 + 1, as_u64);
            cron(format!("{second} {} {} {day} {} *", minute(), hour(), steps(every, 12)), pace(every, Unit::Months))
        }
        _ => cron(format!("{second} {} {} * * *", minute(), hour()), pace(size("daysInterval", 1), Unit::Days)),
    }
}

/// A cron field for every n-th of its values. Steps begin anew each day or year: where they do not come out even, every
/// value is named, and the pace chooses among them.
fn steps(every: usize, of: usize) -> String {
    if of.is_multiple_of(every) { format!("*/{every}") } else { "*".to_owned() }
}

/// The rules of a Cron node; `spread` chooses the second.
pub fn of_cron(parameters: &Object, spread: u64) -> Vec<Rule> {
    of_times(parameters, "triggerTimes", spread)
}

/// The rules of a node that polls; `spread` chooses the second.
pub fn of_polls(parameters: &Object, spread: u64) -> Vec<Rule> {
    of_times(parameters, "pollTimes", spread)
}

fn of_times(parameters: &Object, name: &str, spread: u64) -> Vec<Rule> {
    let times = parameters.get(name).and_then(|times| times.get("item")).and_then(Value::as_array);
    times.unwrap_or_default().iter().map(|time| of_time(time, spread % 60)).collect()
}

fn of_time(time: &Value, second: u64) -> Rule {
    let text = |key: &str, default: &str| time.get(key).map_or_else(|| default.into(), Value::to_js_string);
    let (minute, hour) = (text("minute", "0"), text("hour", "14"));
    let expression = match time.get("mode").and_then(Value::as_str).unwrap_or("everyDay") {
        "everyMinute" => format!("{second} * * * * *"),
        "everyHour" => format!("{second} {minute} * * * *"),
        "everyX" => {
            let value = time.get("value").and_then(Value::as_f64).unwrap_or(2.0).max(1.0);
            let value = format_number(value.trunc());
            match time.get("unit").and_then(Value::as_str) {
                Some("minutes") => format!("{second} */{value} * * * *"),
                _ => format!("{second} 0 */{value} * * *"),
            }
        }
        "everyWeek" => format!("{second} {minute} {hour} * * {}", text("weekday", "1")),
        "everyMonth" => format!("{second} {minute} {hour} {} * *", text("dayOfMonth", "1")),
        "custom" => text("cronExpression", "* * * * * *").trim().to_owned(),
        _ => format!("{second} {minute} {hour} * * *"),
    };
    Rule::Cron { expression: expression.into(), pace: None }
}

/// The rule of an Interval node.
pub fn of_interval_node(parameters: &Object) -> Result<Rule, ExecutionError> {
    /// Longest interval in milliseconds, as timers have it.
    const LONGEST: f64 = 2_147_483_647.0;
    let interval = parameters.get("interval").and_then(Value::as_f64).unwrap_or(1.0);
    if interval.is_nan() || interval <= 0.0 {
        return Err(ExecutionError::operation("The interval has to be set to at least 1 or higher!"));
    }
    let seconds = match parameters.get("unit").and_then(Value::as_str) {
        Some("minutes") => 60.0,
        Some("hours") => 3600.0,
        _ => 1.0,
    };
    let milliseconds = interval * seconds * 1000.0;
    if milliseconds > LONGEST {
        return Err(ExecutionError::operation("The interval value is too large."));
    }
    Ok(Rule::Every { milliseconds: to_index(milliseconds.trunc()).map_or(1000, as_u64).max(1) })
}

fn as_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
