//! The places of values in statements that take many rows.

use std::fmt::Write;

use super::Backend;

/// `(?, ?), (?, ?)` for SQLite, which looks a place with a name up among all places of the statement; `($1::uuid, $2::int4), …`
/// for PostgreSQL. `types` has a PostgreSQL type for each column, or nothing where the statement says it.
pub fn placeholders(backend: Backend, rows: usize, types: &[&str]) -> String {
    let mut places = String::with_capacity(rows * types.len() * 8);
    for row in 0..rows {
        for (column, kind) in types.iter().enumerate() {
            places.push_str(match (row, column) {
                (0, 0) => "(",
                (_, 0) => "), (",
                _ => ", ",
            });
            // Writing to a string does not fail.
            let _ = match backend {
                Backend::Postgres => write!(places, "${}{kind}", row * types.len() + column + 1),
                _ => places.write_char('?'),
            };
        }
    }
    places.push_str(if rows * types.len() > 0 { ")" } else { "" });
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_of_each_row_has_a_place() {
        assert_eq!(placeholders(Backend::Sqlite, 2, &["", "::int4"]), "(?, ?), (?, ?)");
        assert_eq!(placeholders(Backend::Postgres, 2, &["", "::int4"]), "($1, $2::int4), ($3, $4::int4)");
        assert_eq!(placeholders(Backend::Sqlite, 0, &[""]), "");
    }
}
