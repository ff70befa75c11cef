//! TimSort (Tim Peters, `listsort.txt`) with the order of comparisons that V8 has: what a comparator that contradicts
//! itself, or never says "equal", makes of a list is then the same as in Node.

/// Wins in a row after which a merge gallops, at first.
const MIN_GALLOP: usize = 7;

/// The places `0..length` in order; `is_less(left, right)` says whether the left one must come before the right one.
/// Its first error ends the sorting.
pub fn tim_sort<E>(length: usize, is_less: impl FnMut(usize, usize) -> Result<bool, E>) -> Result<Vec<usize>, E> {
    let mut sort = Sort { is_less, runs: Vec::new(), min_gallop: MIN_GALLOP };
    let mut rest: Vec<usize> = (0..length).collect();
    let shortest = shortest_run(length);
    while !rest.is_empty() {
        let ordered = sort.ordered_start(&mut rest)?;
        let behind = rest.split_off(ordered.max(shortest.min(rest.len())));
        sort.insert_from(&mut rest, ordered)?;
        sort.runs.push(std::mem::replace(&mut rest, behind));
        sort.collapse()?;
    }
    sort.collapse_all()?;
    Ok(sort.runs.pop().unwrap_or_default())
}

/// Runs are at least this long, so that their number is a power of two or just below one.
fn shortest_run(mut length: usize) -> usize {
    let mut odd = 0;
    while length >= 64 {
        odd |= length & 1;
        length >>= 1;
    }
    length + odd
}

struct Sort<F> {
    is_less: F,
    /// Ordered runs, neighbours in the list, that wait to be merged.
    runs: Vec<Vec<usize>>,
    min_gallop: usize,
}

impl<E, F: FnMut(usize, usize) -> Result<bool, E>> Sort<F> {
    /// Length of the ordered start; a strictly descending one is turned round.
    fn ordered_start(&mut self, places: &mut [usize]) -> Result<usize, E> {
        if places.len() < 2 {
            return Ok(places.len());
        }
        let descends = (self.is_less)(at(places, 1), at(places, 0))?;
        let mut length = 2;
        while length < places.len() && (self.is_less)(at(places, length), at(places, length - 1))? == descends {
            length += 1;
        }
        if let Some(start) = places.get_mut(..length).filter(|_| descends) {
            start.reverse();
        }
        Ok(length)
    }

    /// Inserts what stands behind the ordered start, each by halving.
    fn insert_from(&mut self, places: &mut [usize], ordered: usize) -> Result<(), E> {
        for next in ordered..places.len() {
            let pivot = at(places, next);
            let (mut low, mut high) = (0, next);
            while low < high {
                let middle = low + (high - low) / 2;
                if (self.is_less)(pivot, at(places, middle))? {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            if let Some(moved) = places.get_mut(low..=next) {
                moved.rotate_right(1);
            }
        }
        Ok(())
    }

    /// Merges until each run is longer than the next two together and than the next one.
    fn collapse(&mut self) -> Result<(), E> {
        while self.runs.len() > 1 {
            let left = self.runs.len() - 2;
            if !self.is_steep(left + 1) || !self.is_steep(left) {
                let earlier = left > 0 && self.length(left - 1) < self.length(left + 1);
                self.merge(if earlier { left - 1 } else { left })?;
            } else if self.length(left) <= self.length(left + 1) {
                self.merge(left)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn collapse_all(&mut self) -> Result<(), E> {
        while self.runs.len() > 1 {
            let left = self.runs.len() - 2;
            let earlier = left > 0 && self.length(left - 1) < self.length(left + 1);
            self.merge(if earlier { left - 1 } else { left })?;
        }
        Ok(())
    }

    fn length(&self, run: usize) -> usize {
        self.runs.get(run).map_or(0, Vec::len)
    }

    fn is_steep(&self, run: usize) -> bool {
        run < 2 || self.length(run - 2) > self.length(run - 1) + self.length(run)
    }

    /// Merges a run with the next one.
    fn merge(&mut self, run: usize) -> Result<(), E> {
        let right = self.runs.remove(run + 1);
        let mut merged = self.runs.get_mut(run).map(std::mem::take).unwrap_or_default();
        // What stands in its place already.
        let left = merged.split_off(self.gallop_right(at(&right, 0), &merged, 0)?);
        if let Some(last) = left.last() {
            let end = self.gallop_left(*last, &right, right.len() - 1)?;
            let (right, behind) = right.split_at_checked(end).unwrap_or((&right, &[]));
            if !right.is_empty() && left.len() <= right.len() {
                self.merge_low(&left, right, &mut merged)?;
            } else if !right.is_empty() {
                self.merge_high(&left, right, &mut merged)?;
            } else {
                merged.extend(&left);
            }
            merged.extend(behind);
        } else {
            merged.extend(&right);
        }
        if let Some(slot) = self.runs.get_mut(run) {
            *slot = merged;
        }
        Ok(())
    }

    /// From the left; the first of `right` comes before all of `left`.
    fn merge_low(&mut self, left: &[usize], right: &[usize], merged: &mut Vec<usize>) -> Result<(), E> {
        merged.push(at(right, 0));
        let (mut a, mut b) = (0, 1);
        'merge: while b < right.len() && a + 1 < left.len() {
            let (mut wins_a, mut wins_b) = (0, 0);
            while wins_a < self.min_gallop && wins_b < self.min_gallop {
                if (self.is_less)(at(right, b), at(left, a))? {
                    merged.push(at(right, b));
                    (b, wins_b, wins_a) = (b + 1, wins_b + 1, 0);
                } else {
                    merged.push(at(left, a));
                    (a, wins_a, wins_b) = (a + 1, wins_a + 1, 0);
                }
                if b == right.len() || a + 1 == left.len() {
                    break 'merge;
                }
            }
            self.min_gallop += 1;
            loop {
                self.min_gallop = self.min_gallop.saturating_sub(1).max(1);
                let ahead = left.get(a..).unwrap_or_default();
                wins_a = self.gallop_right(at(right, b), ahead, 0)?;
                merged.extend(ahead.iter().take(wins_a));
                a += wins_a;
                if wins_a > 0 && a + 1 >= left.len() {
                    break 'merge;
                }
                merged.push(at(right, b));
                b += 1;
                if b == right.len() {
                    break 'merge;
                }
                let ahead = right.get(b..).unwrap_or_default();
                wins_b = self.gallop_left(at(left, a), ahead, 0)?;
                merged.extend(ahead.iter().take(wins_b));
                b += wins_b;
                if b == right.len() {
                    break 'merge;
                }
                merged.push(at(left, a));
                a += 1;
                if a + 1 == left.len() {
                    break 'merge;
                }
                if wins_a < MIN_GALLOP && wins_b < MIN_GALLOP {
                    break;
                }
            }
            self.min_gallop += 1;
        }
        merged.extend(right.get(b..).unwrap_or_default());
        merged.extend(left.get(a..).unwrap_or_default());
        Ok(())
    }

    /// From the right; the last of `left` comes behind all of `right`.
    fn merge_high(&mut self, left: &[usize], right: &[usize], merged: &mut Vec<usize>) -> Result<(), E> {
        // What is merged, from its end.
        let mut end = vec![at(left, left.len() - 1)];
        let (mut a, mut b) = (left.len() - 1, right.len());
        'merge: while a > 0 && b > 1 {
            let (mut wins_a, mut wins_b) = (0, 0);
            while wins_a < self.min_gallop && wins_b < self.min_gallop {
                if (self.is_less)(at(right, b - 1), at(left, a - 1))? {
                    end.push(at(left, a - 1));
                    (a, wins_a, wins_b) = (a - 1, wins_a + 1, 0);
                } else {
                    end.push(at(right, b - 1));
                    (b, wins_b, wins_a) = (b - 1, wins_b + 1, 0);
                }
                if a == 0 || b == 1 {
                    break 'merge;
                }
            }
            self.min_gallop += 1;
            loop {
                self.min_gallop = self.min_gallop.saturating_sub(1).max(1);
                let kept = self.gallop_right(at(right, b - 1), left.get(..a).unwrap_or_default(), a - 1)?;
                wins_a = a - kept;
                end.extend(left.get(kept..a).unwrap_or_default().iter().rev());
                a = kept;
                if a == 0 {
                    break 'merge;
                }
                end.push(at(right, b - 1));
                b -= 1;
                if b == 1 {
                    break 'merge;
                }
                let kept = self.gallop_left(at(left, a - 1), right.get(..b).unwrap_or_default(), b - 1)?;
                wins_b = b - kept;
                end.extend(right.get(kept..b).unwrap_or_default().iter().rev());
                b = kept;
                if wins_b > 0 && b <= 1 {
                    break 'merge;
                }
                end.push(at(left, a - 1));
                a -= 1;
                if a == 0 {
                    break 'merge;
                }
                if wins_a < MIN_GALLOP && wins_b < MIN_GALLOP {
                    break;
                }
            }
            self.min_gallop += 1;
        }
        end.extend(left.get(..a).unwrap_or_default().iter().rev());
        end.extend(right.get(..b).unwrap_or_default().iter().rev());
        merged.extend(end.iter().rev());
        Ok(())
    }

    /// Where `place` belongs in an ordered run, before those equal to it; the search begins at `hint`.
    fn gallop_left(&mut self, place: usize, run: &[usize], hint: usize) -> Result<usize, E> {
        let goes_right = (self.is_less)(at(run, hint), place)?;
        self.gallop(run, hint, goes_right, |sort, other| (sort.is_less)(other, place))
    }

    /// The same, behind those equal to it.
    fn gallop_right(&mut self, place: usize, run: &[usize], hint: usize) -> Result<usize, E> {
        let goes_right = !(self.is_less)(place, at(run, hint))?;
        self.gallop(run, hint, goes_right, |sort, other| Ok(!(sort.is_less)(place, other)?))
    }

    /// Strides that double from `hint` to the right or left, then halving between the last two. `is_before` says
    /// whether an element stays before the place that is searched.
    fn gallop(
        &mut self,
        run: &[usize],
        hint: usize,
        goes_right: bool,
        mut is_before: impl FnMut(&mut Self, usize) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let most = if goes_right { run.len() - hint } else { hint + 1 };
        let (mut last, mut stride) = (0, 1);
        while stride < most {
            let other = at(run, if goes_right { hint + stride } else { hint - stride });
            if is_before(self, other)? != goes_right {
                break;
            }
            (last, stride) = (stride, stride.saturating_mul(2).saturating_add(1));
        }
        stride = stride.min(most);
        let (mut low, mut high) =
            if goes_right { (hint + last + 1, hint + stride) } else { (hint + 1 - stride, hint - last) };
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(self, at(run, middle))? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

fn at(places: &[usize], index: usize) -> usize {
    places.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sorts by keys; `less` compares two of them.
    fn sorted(keys: &[u32], less: impl Fn(u32, u32) -> bool) -> Vec<usize> {
        tim_sort::<()>(keys.len(), |left, right| Ok(less(keys[left], keys[right]))).unwrap()
    }

    /// Keys that repeat, in runs and at random.
    fn keys(length: u32) -> Vec<u32> {
        let mut draw = length;
        (0..length)
            .map(|at| {
                draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if at % 97 < 40 { at % 97 } else { draw >> 26 }
            })
            .collect()
    }

    #[test]
    fn sorts_stably_whatever_the_length() {
        for length in [0, 1, 2, 3, 31, 63, 64, 65, 127, 1000, 10_000] {
            let keys = keys(length);
            let mut expected: Vec<usize> = (0..keys.len()).collect();
            expected.sort_by_key(|place| keys[*place]);
            assert_eq!(sorted(&keys, |left, right| left < right), expected, "{length}");
        }
    }

    #[test]
    fn loses_nothing_when_comparisons_contradict() {
        for length in [5, 64, 200, 5000] {
            let keys = keys(length);
            let comparisons: [fn(u32, u32) -> bool; 4] =
                [|_, _| true, |_, _| false, |a, b| a <= b, |a, b| (a ^ b).is_multiple_of(3)];
            for less in comparisons {
                let mut places = sorted(&keys, less);
                places.sort_unstable();
                assert!(places.into_iter().eq(0..keys.len()), "{length}");
            }
        }
    }

    #[test]
    fn ends_with_the_first_error() {
        let mut calls = 0;
        let failed = tim_sort(100, |_, _| {
            calls += 1;
            if calls == 5 { Err("stop") } else { Ok(true) }
        });
        assert_eq!((failed, calls), (Err("stop"), 5));
    }
}
