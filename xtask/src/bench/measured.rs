//! Figures by who, what, with how many callers, and unit; the median and spread of the rounds.

use std::collections::BTreeMap;

/// Who, scenario, connections (0: none), unit.
type Key = (String, String, u32, String);

#[derive(Default)]
pub(super) struct Measured(BTreeMap<Key, Vec<f64>>);

#[derive(Clone, Copy)]
pub(super) struct Figure {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Measured {
    pub(super) fn add(&mut self, who: &str, scenario: &str, connections: u32, unit: &str, value: f64) {
        let key = (who.to_owned(), scenario.to_owned(), connections, unit.to_owned());
        self.0.entry(key).or_default().push(value);
    }

    pub(super) fn of(&self, who: &str, scenario: &str, connections: u32, unit: &str) -> Option<Figure> {
        let key = (who.to_owned(), scenario.to_owned(), connections, unit.to_owned());
        let mut values = self.0.get(&key)?.clone();
        values.sort_by(f64::total_cmp);
        let median = match (
            values.len().is_multiple_of(2),
            values.get(values.len() / 2),
            values.get(values.len().saturating_sub(1) / 2),
        ) {
            (true, Some(upper), Some(lower)) => f64::midpoint(*upper, *lower),
            (_, Some(middle), _) => *middle,
            _ => return None,
        };
        Some(Figure { median, least: *values.first()?, most: *values.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::Measured;

    #[test]
    fn figures_are_the_middle_and_the_ends_of_the_rounds() {
        let mut measured = Measured::default();
        for value in [3.0, 1.0, 2.0] {
            measured.add("a", "s", 1, "ms", value);
        }
        let figure = measured.of("a", "s", 1, "ms").unwrap();
        assert_eq!((figure.least, figure.median, figure.most), (1.0, 2.0, 3.0));
        measured.add("a", "s", 1, "ms", 10.0);
        assert_eq!(measured.of("a", "s", 1, "ms").unwrap().median, 2.5);
        assert!(measured.of("b", "s", 1, "ms").is_none());
    }
}
