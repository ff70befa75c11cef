//! Field types, by tables.

use jiff::tz::TimeZone;
use millrace_model::Value;

use super::{DateTime, FieldType, Rules, Typed, validate};

fn check(kind: &str, value: &str, rules: &Rules<'_>) -> Result<String, String> {
    let value = Value::from_json(value).unwrap_or_else(|error| panic!("{value}: {error}"));
    validate("field", &value, FieldType::named(kind).unwrap(), rules).map(|typed| match typed {
        Typed::Value(value) => value.to_json(),
        Typed::DateTime(date) => date.to_iso(),
    })
}

#[test]
fn converts() {
    let cases = [
        ("any", "[1]", "[1]"),
        ("string", "5", "5"),
        ("number", r#"" 1.5 ""#, "1.5"),
        ("number", "true", "1"),
        ("number", r#""0x1f""#, "31"),
        ("boolean", r#""TRUE""#, "true"),
        ("boolean", "0", "false"),
        ("time", r#""12:30:05+02:00""#, r#""12:30:05+02:00""#),
        ("array", r#""[1, 'a']""#, r#"[1,"a"]"#),
        (
            "object",
            r#""{a: 'b', \"c\": [1, true, null,], d: {e: -1.5},}""#,
            r#"{"a":"b","c":[1,true,null],"d":{"e":-1.5}}"#,
        ),
        ("url", r#""example.com/x""#, r#""http://example.com/x""#),
        ("jwt", r#""aa.bb.cc""#, r#""aa.bb.cc""#),
        ("form-fields", r#""[{\"fieldLabel\": \"Name\"}]""#, r#"[{"fieldLabel":"Name"}]"#),
        ("string-alphanumeric", r#""_a1""#, r#""_a1""#),
        ("object", "null", "null"),
    ];
    for (kind, value, expected) in cases {
        assert_eq!(check(kind, value, &Rules::LOOSE), Ok(expected.to_owned()), "{value} as {kind}");
    }
    let parsed = Rules { parse_strings: true, ..Rules::LOOSE };
    assert_eq!(check("string", r#"{"a":1}"#, &parsed), Ok(r#""{\"a\":1}""#.to_owned()));
}

#[test]
fn refuses_with_reasons() {
    let cases = [
        ("number", r#""1,5""#, "'field' expects a number but we got '1,5'"),
        ("number", "{}", "'field' expects a number but we got object"),
        ("boolean", r#""""#, "'field' expects a boolean but we got ''"),
        ("boolean", "2", "'field' expects a boolean but we got '2'"),
        ("array", "{}", "'field' expects a array but we got object"),
        ("object", r#""{a: b}""#, "'field' expects a object but we got '{a: b}'"),
        ("object", r#""{a: 1} x""#, "'field' expects a object but we got '{a: 1} x'"),
        ("time", r#""25""#, "'field' expects time (hh:mm:(:ss)) but we got '25'."),
        ("jwt", r#""nope""#, "Value is not a valid JWT token"),
        (
            "string-alphanumeric",
            r#""1a""#,
            "Value is not a valid alphanumeric string, only letters, numbers and underscore allowed",
        ),
    ];
    for (kind, value, message) in cases {
        assert_eq!(check(kind, value, &Rules::LOOSE), Err(message.to_owned()), "{value} as {kind}");
    }
    let strict = Rules { strict: true, parse_strings: true, ..Rules::LOOSE };
    for (kind, value) in [("number", r#""1""#), ("string", "1"), ("boolean", "1"), ("array", r#""[]""#)] {
        assert!(check(kind, value, &strict).is_err(), "{value} as {kind}");
    }
    let allowed = [Value::from("a"), Value::from(2)];
    let rules = Rules { options: &allowed, ..Rules::LOOSE };
    assert_eq!(check("options", "2", &rules), Ok("2".to_owned()));
    let message = "'field' expects one of the following values: [a, 2] but we got 'b'";
    assert_eq!(check("options", r#""b""#, &rules), Err(message.to_owned()));
    assert!(check("dateTime", r#""soon""#, &Rules::LOOSE).unwrap_err().starts_with("'field' expects a dateTime"));
    let deep = format!(r#""{}""#, "{a:".repeat(5000));
    assert!(check("object", &deep, &Rules::LOOSE).is_err());
}

#[test]
fn reads_dates() {
    let zone = TimeZone::get("America/New_York").unwrap();
    let cases = [
        ("2024-03-05", "2024-03-05T00:00:00.000-05:00"),
        ("2024-03", "2024-03-01T00:00:00.000-05:00"),
        ("2024-W10-2", "2024-03-05T00:00:00.000-05:00"),
        ("2024-065", "2024-03-05T00:00:00.000-05:00"),
        ("20240305T101112Z", "2024-03-05T10:11:12.000Z"),
        ("2024-03-05T24:00", "2024-03-06T00:00:00.000-05:00"),
        ("2024-03-05T10:11:12.3456+05:30", "2024-03-05T10:11:12.345+05:30"),
        ("2024-03-05 10:11", "2024-03-05T10:11:00.000-05:00"),
        ("2024-03-05 10:11:12 Europe/Rome", "2024-03-05T10:11:12.000+01:00"),
        ("Tue, 05 Mar 2024 10:11:12 GMT", "2024-03-05T10:11:12.000Z"),
        ("Tuesday, 05-Mar-24 10:11:12 GMT", "2024-03-05T10:11:12.000Z"),
        ("Tue Mar  5 10:11:12 2024", "2024-03-05T10:11:12.000Z"),
        ("5 Mar 2024 10:11 PST", "2024-03-05T10:11:00.000-08:00"),
        ("Mar 5, 2024", "2024-03-04T19:00:00.000-05:00"),
        ("3/5/2024 5:06 PM", "2024-03-05T12:06:00.000-05:00"),
        ("5 March 2024 10:00 GMT-8", "2024-03-05T13:00:00.000-05:00"),
        ("March 5 (a comment) 24", "2024-03-04T19:00:00.000-05:00"),
    ];
    for (text, expected) in cases {
        let date = DateTime::parse(text, &zone).map(|date| date.to_iso());
        assert_eq!(date.as_deref(), Some(expected), "{text}");
    }
    for text in ["", "soon", "2024-13-01", "2024-02-30T10:00:00Z", "5 o'clock", "Mar 5 2024 25:00", "1:2:3:4:5", "((("]
    {
        assert_eq!(DateTime::parse(text, &zone), None, "{text}");
    }
    assert_eq!(DateTime::parse("2024-03-05T10:00:00+05:30", &zone).unwrap().zone_name(), "UTC+5:30");
}
