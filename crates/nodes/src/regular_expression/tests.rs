//! Patterns as JavaScript understands them, by tables.

use super::RegularExpression;

#[test]
fn matches_as_javascript_does() {
    let cases: [(&str, &str, bool); 34] = [
        ("a.c", "abc", true),
        ("a.c", "a\nc", false),
        ("/a.c/s", "a\nc", true),
        ("^b", "a\nb", false),
        ("/^b/m", "a\nb", true),
        ("a$", "a\nb", false),
        ("/a$/m", "a\r\nb", true),
        ("/HELLO/i", "say hello", true),
        (r"\d{3}", "12", false),
        (r"^\d+$", "١٢٣", false),
        (r"^\w+$", "café", false),
        (r"\bfé\b", "un fé", false),
        (r"\bcat\b", "a cat sat", true),
        (r"\s", "a\u{feff}b", true),
        (r"[^\s\S]", "anything", false),
        ("[^]", "\n", true),
        ("[]", "x", false),
        (r"[\w-]+@", "a-b@", true),
        ("[a-c&&b]", "&", true),
        ("[[]", "[", true),
        (r"[\]]", "]", true),
        ("a{,2}", "a{,2}", true),
        ("a{2}", "baab", true),
        ("x{", "x{", true),
        (r"(a)\1", "aa", true),
        (r"(?<year>\d{4})-\k<year>", "2024-2024", true),
        (r"foo(?=bar)", "foobar", true),
        (r"foo(?!bar)", "foobar", false),
        (r"(?<=\$)\d+", "$42", true),
        (r"\u00e9", "é", true),
        (r"\x41\cJ", "A\n", true),
        (r"\/api\/v\d", "/api/v2", true),
        ("/", "a/b", true),
        (r"a#b c", "a#b c", true),
    ];
    for (pattern, text, expected) in cases {
        let found = RegularExpression::parse(pattern).and_then(|regex| regex.is_match(text));
        assert_eq!(found, Ok(expected), "{pattern} on {text:?}");
    }
}

#[test]
fn says_what_is_wrong_with_a_pattern() {
    let cases = [
        ("(", "Invalid regular expression: /(/: Unterminated group"),
        (")", "Invalid regular expression: /)/: Unmatched ')'"),
        ("*a", "Invalid regular expression: /*a/: Nothing to repeat"),
        ("a**", "Invalid regular expression: /a**/: Nothing to repeat"),
        ("[a", "Invalid regular expression: /[a/: Unterminated character class"),
        ("[z-a]", "Invalid regular expression: /[z-a]/: Range out of order in character class"),
        ("a{3,1}", "Invalid regular expression: /a{3,1}/: numbers out of order in {} quantifier"),
        ("(?P<n>a)", "Invalid regular expression: /(?P<n>a)/: Invalid group"),
        ("a\\", "Invalid regular expression: /a\\/: \\ at end of pattern"),
    ];
    for (pattern, message) in cases {
        let error = RegularExpression::new(pattern, "").unwrap_err();
        assert_eq!(error.message, message);
    }
    let error = RegularExpression::new("a", "gg").unwrap_err();
    assert_eq!(error.message, "Invalid flags supplied to RegExp constructor 'gg'");
}

#[test]
fn stops_a_pattern_that_explodes() {
    let regex = RegularExpression::new(r"^(?:(a+)\1?)+b$", "").unwrap();
    let text = "a".repeat(60);
    assert!(regex.is_match(&text).is_err());
}

#[test]
fn replaces_as_javascript_does() {
    let cases = [
        ("/b/", "abcb", "x", "axcb"),
        ("/b/g", "abcb", "x", "axcx"),
        (r"/(\w)(\d)?/g", "a1b", "<$2$1>", "<1a><b>"),
        ("/b/g", "abc", "[$`|$&|$'|$$|$1]", "a[a|b|c|$|$1]c"),
        ("/(?<first>a)/", "abc", "$<first>$<first>", "aabc"),
        ("/x*/g", "ab", "-", "-a-b-"),
        ("/é/g", "été", "e", "ete"),
    ];
    for (pattern, text, replacement, expected) in cases {
        let replaced = RegularExpression::parse(pattern).unwrap().replace(text, replacement).unwrap();
        assert_eq!(replaced, expected, "{pattern} {text}");
    }
}
