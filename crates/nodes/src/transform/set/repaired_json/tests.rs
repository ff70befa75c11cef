//! Repaired JSON, by tables.

use super::*;

#[test]
fn reads_what_is_plainly_meant() {
    let table = [
        ("{\"note\":\"one\ntwo\tthree\r\"}", r#"{"note":"one\ntwo\tthree\r"}"#),
        (r#"{"note":"say "yes" to it"}"#, r#"{"note":"say \"yes\" to it"}"#),
        (r#"{'note':'it\'s'}"#, r#"{"note":"it's"}"#),
        ("{note:`plain`, other:\u{201c}smart\u{201d}}", r#"{"note":"plain","other":"smart"}"#),
        ("{\"n\":1, // first\n \"m\":/* none */2}", r#"{"n":1,"m":2}"#),
        ("```json\n{\"n\":1}\n```", r#"{"n":1}"#),
        (
            r#"{"a":NaN,"b":undefined,"c":True,"d":None,"e":False}"#,
            r#"{"a":"NaN","b":null,"c":true,"d":null,"e":false}"#,
        ),
        (r#"{"a" "b"}"#, r#"{"a":"b"}"#),
        (r#"{"a":1 "b":2}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1; "b":2}"#, r#"{"a":"1;","b":2}"#),
        (r#"{"a":[1,2,],"b":{"c":3},}"#, r#"{"a":[1,2],"b":{"c":3}}"#),
        (r#"{"a":"cut off"#, r#"{"a":"cut off"}"#),
        (r#"{"a":["x","y"#, r#"{"a":["x","y"]}"#),
        (r#"{"a":"#, r#"{"a":null}"#),
        (r#"{"path":"D:\data\new"}"#, r#"{"path":"D:data\new"}"#),
        (r#"{"a":"\u00e9\ud83d\ude00"}"#, r#"{"a":"é😀"}"#),
        ("{\"at\":2020-02-03T04:05:06Z}", r#"{"at":"2020-02-03T04:05:06Z"}"#),
        ("{link: https://example.test/a?b=1, n: -2.5e3}", r#"{"link":"https://example.test/a?b=1","n":-2500}"#),
        (r#"{"a":"b" + "c"}"#, r#"{"a":"bc"}"#),
        (r#"{"id":NumberLong("12"),"zip":0123,"open":2.}"#, r#"{"id":"12","zip":"0123","open":2}"#),
        (r#"{"list":[1,2,...]}"#, r#"{"list":[1,2]}"#),
        (r#"callback({"a":1});"#, r#"{"a":1}"#),
        (r#"{"a":"b,"c":"d"}"#, r#"{"a":"b","c":"d"}"#),
        ("{\"a\":1}\n{\"a\":2}", r#"[{"a":1},{"a":2}]"#),
        ("first line\nsecond \"line\" x", r#"["first line","second","line\" x"]"#),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text).map(|value| value.to_json()).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn refuses_the_rest() {
    let deep = "[".repeat(50_000);
    for text in [
        "",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "\u{feff}{\"a\":1}",
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"{\"b\":\"c\"}\"}",
        "{:1}",
        r#"{"a":"\u12x"}"#,
        &deep,
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}

#[test]
fn bad_text_takes_no_long_time() {
    for piece in ["\"a,", "\"a ", "'a\",", "{\"a", "\\\"", "`,'\u{201c}", "/*", "a("] {
        parse(&piece.repeat(20_000));
    }
}
