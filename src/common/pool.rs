//! Names of pools of workers. An execution is for one pool; a worker works for one.

/// Where everything runs that is pinned nowhere else.
pub const DEFAULT_POOL: &str = "default";

/// Longest name, in characters: it becomes part of a queue's name.
const LONGEST: usize = 40;

/// 1–40 of a–z, 0–9 and hyphen, not beginning or ending with a hyphen.
pub fn is_pool_name(text: &str) -> bool {
    let allowed = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["default", "gpu", "eu-1", "a", &"x".repeat(40)] {
            assert!(is_pool_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "ä", &"x".repeat(41)] {
            assert!(!is_pool_name(bad), "{bad}");
        }
    }
}
