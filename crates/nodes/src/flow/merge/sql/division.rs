//! Division as AlaSQL has it: one whole number divided by another need not be whole, which in SQLite it is.

/// A division of real numbers.
const EXACT: &str = "*1.0/";

/// The query with its divisions exact. What stands in quotes, brackets and comments stays.
pub(super) fn exact(query: &str) -> String {
    let mut made = String::with_capacity(query.len());
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' | '`' => length_to(rest, 1, first.encode_utf8(&mut [0; 4])),
            '[' => length_to(rest, 1, "]"),
            '-' if rest.starts_with("--") => length_to(rest, 2, "\n"),
            '/' if rest.starts_with("/*") => length_to(rest, 2, "*/"),
            first => first.len_utf8(),
        };
        let (piece, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        made.push_str(if piece == "/" { EXACT } else { piece });
        rest = behind;
    }
    made
}

/// The name of a column as the query has it.
pub(super) fn as_written(name: &str) -> String {
    name.replace(EXACT, "/")
}

/// Bytes up to the end of a mark, looked for behind the first few bytes.
fn length_to(text: &str, from: usize, mark: &str) -> usize {
    let inside = text.get(from..).unwrap_or_default();
    inside.find(mark).map_or(text.len(), |at| from + at + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_divisions_alone() {
        let table = [
            ("SELECT a/b, 1 / 2", "SELECT a*1.0/b, 1 *1.0/ 2"),
            ("SELECT 'a/b', \"c/d\", `e/f`, [g/h]", "SELECT 'a/b', \"c/d\", `e/f`, [g/h]"),
            ("SELECT 1 /* 1/2 */ -- 3/4\n/ 5", "SELECT 1 /* 1/2 */ -- 3/4\n*1.0/ 5"),
            ("SELECT 'it''s' / 'é", "SELECT 'it''s' *1.0/ 'é"),
        ];
        for (query, expected) in table {
            assert_eq!(exact(query), expected);
            assert_eq!(as_written(expected), query);
        }
    }
}
