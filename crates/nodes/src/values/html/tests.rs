//! HTML, by tables.

use super::document;
use crate::testing::{json, links, trial};
use millrace_model::{Object, Value};

const PAGE: &str = "<html><head><title>T</title></head><body><h1>Big news</h1><p class='x'>One <b>two</b></p>\
    <ul><li>first</li><li>second<ol><li>inner</li></ol></li></ul><a href='http://h/p'>link</a><img src='i.png' alt='pic'>\
    <input value='v'><select><option value='1'>a<option value='2' selected>b</select></body></html>";

fn extracted(values: &str, options: &str, version: f64) -> String {
    let parameters = format!(
        r#"{{"operation": "extractHtmlContent", "extractionValues": {{"values": [{values}]}}, "options": {options}}}"#
    );
    let item = Value::array([Object::from([("data", PAGE.into())]).into()]).to_json();
    trial("html").version(version).parameters(&parameters).input(&item).gives()
}

#[test]
fn extracts_values() {
    let table = [
        (r#"{"key": "k", "cssSelector": "p"}"#, r#"[{"k":"One two"}]"#),
        (r#"{"key": "k", "cssSelector": "p", "returnValue": "html"}"#, r#"[{"k":"One <b>two</b>"}]"#),
        (r#"{"key": "k", "cssSelector": "p", "returnValue": "attribute", "attribute": "class"}"#, r#"[{"k":"x"}]"#),
        (r#"{"key": "k", "cssSelector": "p", "returnValue": "attribute"}"#, r#"[{"k":{"class":"x"}}]"#),
        (r#"{"key": "k", "cssSelector": "input", "returnValue": "value"}"#, r#"[{"k":"v"}]"#),
        (r#"{"key": "k", "cssSelector": "select", "returnValue": "value"}"#, r#"[{"k":"2"}]"#),
        (r#"{"key": "k", "cssSelector": "ul > li", "returnArray": true}"#, r#"[{"k":["first","second\n1. inner"]}]"#),
        (r#"{"key": "k", "cssSelector": "option:first"}"#, r#"[{"k":"a"}]"#),
        (r#"{"key": "k", "cssSelector": "option:eq(-1)"}"#, r#"[{"k":"b"}]"#),
        (r#"{"key": "k", "cssSelector": "li:contains('second') li"}"#, r#"[{"k":"inner"}]"#),
        (r#"{"key": "k", "cssSelector": "nothing"}"#, r#"[{"k":""}]"#),
    ];
    for (values, expected) in table {
        assert_eq!(extracted(values, "{}", 1.2), expected, "{values}");
    }
    let plain = extracted(r#"{"key": "k", "cssSelector": "ul > li"}"#, "{}", 1.1);
    assert_eq!(plain, r#"[{"k":"firstsecondinner"}]"#);
}

#[test]
fn lays_text_out() {
    let text = extracted(r#"{"key": "k", "cssSelector": "html"}"#, "{}", 1.2);
    assert_eq!(
        text,
        r#"[{"k":"BIG NEWS\n\nOne two\n\n * first\n * second\n   1. inner\n\nlink [http://h/p]pic [i.png]ab"}]"#
    );
    let clean = extracted(
        r#"{"key": "k", "cssSelector": "html", "skipSelectors": "ul, a, img, select"}"#,
        r#"{"cleanUpText": true}"#,
        1.2,
    );
    assert_eq!(clean, r#"[{"k":"BIG NEWSOne two"}]"#);
}

#[test]
fn wraps_lines_and_quotes() {
    let long = format!("<blockquote><p>{}</p></blockquote><hr><pre>a\n  b</pre>", "word ".repeat(20));
    let html = scraper::Html::parse_fragment(&long);
    let text = super::text::of(html.root_element(), &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("> {}", vec!["word"; 15].join(" ")));
    assert_eq!(lines[1], "> word word word word word");
    assert_eq!(lines[3], "-".repeat(80));
    assert_eq!(lines[5..], ["a", "  b"]);
}

#[test]
fn scripts_and_styles_are_no_text() {
    let page = "<body>a<script>var b</script><style>c{}</style><template>d</template>e\u{a0}</body>";
    let item = Value::array([Object::from([("data", page.into())]).into()]).to_json();
    let table = [
        (1.0, "body", "[{\"k\":\"ade\u{a0}\"}]"),
        (1.1, "body", "[{\"k\":\"ade\u{a0}\"}]"),
        (1.1, "script", "[{}]"),
        (1.2, "body", "[{\"k\":\"ade\u{a0}\"}]"),
    ];
    for (version, selector, expected) in table {
        let parameters = format!(
            r#"{{"operation": "extractHtmlContent", "extractionValues": {{"values": [{{"key": "k", "cssSelector": "{selector}"}}]}}}}"#
        );
        let trial = trial("html").version(version).parameters(&parameters).input(&item);
        assert_eq!(trial.gives(), expected, "{version} {selector}");
    }
}

#[test]
fn fills_templates() {
    let parameters = r#"{"html": "<p>{{ $json.a }} and {{ $json.b.length }}</p>"}"#;
    let trial = trial("html").parameters(parameters).input(r#"[{"a": 1, "b": [1, 2]}]"#);
    assert_eq!(trial.gives(), r#"[{"html":"<p>1 and 2</p>"}]"#);
    let parameters = r#"{"html": "{{ $json.none }}, {{ null }}, {{ [1, 2] }} {{ open"}"#;
    let trial = trial.parameters(parameters);
    assert_eq!(trial.gives(), r#"[{"html":"undefined, null, 1,2 {{ open"}]"#);
}

#[test]
fn makes_tables() {
    let parameters = r#"{"operation": "convertToHtmlTable", "options": {"capitalize": true, "customStyling": true, "caption": "C"}}"#;
    let trial = trial("html").parameters(parameters).input(r#"[{"first_name": "A"}, {"ok": true}]"#);
    let expected = "<table  ><caption>C</caption><thead  ><tr><th>First Name</th><th>Ok</th></tr></thead><tbody><tr  ><td  >A</td>\
        <td  >undefined</td></tr><tr  ><td  >undefined</td><td  ><input type=\"checkbox\" checked=\"checked\"/></td></tr></tbody></table>";
    assert_eq!(trial.output().outputs[0].as_ref().unwrap()[0].json.get("table").unwrap().as_str(), Some(expected));
    assert_eq!(links(&trial.output(), 0), [[0, 1]]);
}

#[test]
fn says_what_is_wrong() {
    let parameters =
        r#"{"operation": "extractHtmlContent", "extractionValues": {"values": [{"key": "k", "cssSelector": ">>"}]}}"#;
    let trial_of = |items: &str| trial("html").parameters(parameters).input(items);
    assert_eq!(trial_of("[{}]").fails().message, "No property named \"data\" exists!");
    assert_eq!(trial_of(r#"[{"data": "<p>"}]"#).fails().message, "The CSS selector \">>\" is not valid");
    let deep = Value::from("<div>".repeat(900)).to_json();
    let ok = parameters.replace(">>", "html");
    let given = trial("html").parameters(&ok).input(&format!(r#"[{{"data": {deep}}}]"#)).gives();
    assert_eq!(json(&given).as_array().unwrap().len(), 1);
}

/// Pages that would take a parser minutes, or gigabytes, are refused by the parser that all nodes use.
#[test]
fn pages_that_grow_without_bound_are_refused() {
    let refusal = |page: &str| document::parse(page).err().map(|error| error.message.to_string());
    let nested = refusal(&"<div>".repeat(200_000)).unwrap();
    assert!(nested.contains("nests elements more than 1000 deep"), "{nested}");
    // Comments after the body are shallow, what follows them is not.
    let hidden = refusal(&"<div></body><!-- --><!-- -->".repeat(20_000)).unwrap();
    assert!(hidden.contains("nests"), "{hidden}");
    // Each paragraph begins all the letters again that were never ended.
    let letters: String = (0..900).map(|n| format!("<b id={n}>")).collect();
    let grown = refusal(&format!("<p>{letters}{}", "</p><p>x".repeat(50_000))).unwrap();
    assert!(grown.contains("has more than 4000000"), "{grown}");
    assert_eq!(refusal(&"<div>".repeat(900)), None);
    assert_eq!(refusal(&"<p>é".repeat(100_000)), None, "what is not ended does not nest");
    assert!(document::parse_fragment(&"<i>".repeat(2000)).is_err());
}
