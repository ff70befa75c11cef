//! PostgreSQL's text of a value as JSON, as Node's driver reads it: large numbers stay text, dates are instants in UTC.

use millrace_model::Value;

/// Deepest nesting of arrays.
const MAX_DEPTH: usize = 6;

/// `numbers`: large numbers become numbers too, where n8n is told so.
pub(super) fn read(kind: &str, text: &str, numbers: bool) -> Value {
    if let Some(element) = kind.strip_suffix("[]") {
        return list(element, text, numbers, 0).map_or_else(|| text.into(), |(value, _)| value);
    }
    let number =
        || text.parse::<f64>().ok().filter(|number| number.is_finite()).map_or_else(|| text.into(), Value::Number);
    match kind {
        "BOOL" => (text == "t").into(),
        "INT2" | "INT4" | "OID" | "FLOAT4" | "FLOAT8" => number(),
        "INT8" | "NUMERIC" if numbers => number(),
        "JSON" | "JSONB" => Value::from_json(text).unwrap_or_else(|_| text.into()),
        "DATE" | "TIMESTAMP" | "TIMESTAMPTZ" => instant(text),
        _ => text.into(),
    }
}

/// `2024-01-02 03:04:05.678+00` as `2024-01-02T03:04:05.678Z`; what is no such instant (`infinity`) stays text.
fn instant(text: &str) -> Value {
    let (day, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let time = time.trim_end_matches("+00");
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let whole = format!("{day}T{clock}.{:0<3.3}Z", fraction);
    match whole.parse::<jiff::Timestamp>() {
        Ok(_) => whole.into(),
        Err(_) => text.into(),
    }
}

/// An array literal (`{a,"b",NULL,{…}}`) and the text behind it.
fn list<'t>(kind: &str, text: &'t str, numbers: bool, depth: usize) -> Option<(Value, &'t str)> {
    let mut rest = text.strip_prefix('{').filter(|_| depth < MAX_DEPTH)?;
    let mut values = Vec::new();
    loop {
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((values.into(), behind));
        }
        if rest.starts_with('{') {
            let (value, behind) = list(kind, rest, numbers, depth + 1)?;
            values.push(value);
            rest = behind;
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (element, behind) = quoted_element(quoted)?;
            values.push(read(kind, &element, numbers));
            rest = behind;
        } else {
            let end = rest.find([',', '}'])?;
            let (element, behind) = rest.split_at_checked(end)?;
            values.push(if element == "NULL" { Value::Null } else { read(kind, element, numbers) });
            rest = behind;
        }
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn quoted_element(text: &str) -> Option<(String, &str)> {
    let mut element = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((element, text.get(at + 1..)?)),
            '\\' => element.push(letters.next()?.1),
            letter => element.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_json() {
        for (kind, text, numbers, expected) in [
            ("BOOL", "t", false, "true"),
            ("INT4", "-7", false, "-7"),
            ("INT8", "9007199254740993", false, "\"9007199254740993\""),
            ("NUMERIC", "1.50", true, "1.5"),
            ("FLOAT8", "NaN", false, "\"NaN\""),
            ("JSONB", r#"{"a":[1]}"#, false, r#"{"a":[1]}"#),
            ("DATE", "2024-01-02", false, "\"2024-01-02T00:00:00.000Z\""),
            ("TIMESTAMPTZ", "2024-01-02 03:04:05.6+00", false, "\"2024-01-02T03:04:05.600Z\""),
            ("TIMESTAMP", "infinity", false, "\"infinity\""),
            ("INT4[]", "{1,NULL,3}", false, "[1,null,3]"),
            ("TEXT[]", r#"{a,"b,\"c",{d},""}"#, false, r#"["a","b,\"c",["d"],""]"#),
            ("TEXT[]", "{a", false, "\"{a\""),
            ("UUID", "x", false, "\"x\""),
        ] {
            assert_eq!(read(kind, text, numbers).to_json(), expected, "{kind} {text}");
        }
    }
}
