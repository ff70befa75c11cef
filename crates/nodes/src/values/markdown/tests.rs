//! Markdown, by tables.

use crate::testing::trial;
use millrace_model::{Object, Value};

fn converted(mode: &str, text: &str, options: &str) -> String {
    let parameters = Object::from([
        ("mode", mode.into()),
        ("markdown", text.into()),
        ("html", text.into()),
        ("options", crate::testing::json(options)),
    ]);
    let output = trial("markdown").parameters(&Value::from(parameters).to_json()).output();
    output.outputs[0].as_ref().unwrap()[0].json.get("data").unwrap().to_js_string().to_string()
}

#[test]
fn writes_html() {
    let table = [
        (
            "# Hello World\n\ntext *em* **strong** `a<b`",
            "{}",
            "<h1 id=\"helloworld\">Hello World</h1>\n<p>text <em>em</em> <strong>strong</strong> <code>a&lt;b</code></p>",
        ),
        ("# A\n\n# A", "{}", "<h1 id=\"a\">A</h1>\n<h1 id=\"a-1\">A</h1>"),
        (
            "# Hello World",
            r#"{"ghCompatibleHeaderId": true, "headerLevelStart": 2}"#,
            "<h2 id=\"hello-world\">Hello World</h2>",
        ),
        ("# A", r#"{"noHeaderId": true}"#, "<h1>A</h1>"),
        ("* a\n* b\n    1. c", "{}", "<ul>\n<li>a</li>\n<li>b<ol>\n<li>c</li></ol></li>\n</ul>"),
        ("* a\n\n* b", "{}", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>"),
        ("> a\n> b", "{}", "<blockquote>\n  <p>a\n  b</p>\n</blockquote>"),
        ("```js\nx < 1\n```", "{}", "<pre><code class=\"js language-js\">x &lt; 1\n</code></pre>"),
        (
            "[t](http://h \"T\") ![i](a.png)",
            "{}",
            "<p><a href=\"http://h\" title=\"T\">t</a> <img src=\"a.png\" alt=\"i\" /></p>",
        ),
        (
            "[t](http://h)",
            r#"{"openLinksInNewWindow": true}"#,
            "<p><a href=\"http://h\" rel=\"noopener noreferrer\" target=\"_blank\">t</a></p>",
        ),
        ("see http://h/p.", r#"{"simplifiedAutoLink": true}"#, "<p>see <a href=\"http://h/p\">http://h/p</a>.</p>"),
        ("a\nb", r#"{"simpleLineBreaks": true}"#, "<p>a<br />\nb</p>"),
        ("~~a~~", r#"{"strikethrough": true}"#, "<p><del>a</del></p>"),
        ("~~a~~ ... &", "{}", "<p>~~a~~ … &amp;</p>"),
        (
            "|a|b|\n|-|:-:|\n|1|2|",
            r#"{"tables": true}"#,
            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th style=\"text-align:center;\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td style=\"text-align:center;\">2</td>\n</tr>\n</tbody>\n</table>",
        ),
        ("a\n\n---", "{}", "<p>a</p>\n<hr />"),
        (
            "x",
            r#"{"completeHTMLDocument": true}"#,
            "<!DOCTYPE HTML>\n<html>\n<head>\n<meta charset=\"utf-8\">\n</head>\n<body>\n<p>x</p>\n</body>\n</html>",
        ),
    ];
    for (markdown, options, html) in table {
        assert_eq!(converted("markdownToHtml", markdown, options), html, "{markdown} {options}");
    }
}

#[test]
fn reads_html() {
    let table = [
        ("<h2>Title <i>x</i></h2><p>One <b>two</b>,<br>three</p>", "{}", "## Title _x_\n\nOne **two**,  \nthree"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "{}", "* a\n* b\n  * c"),
        ("<ol><li>a</li><li>b</li></ol>", r#"{"bulletMarker": "-"}"#, "1. a\n2. b"),
        (
            "<p><a href='http://h'>t</a> <a href='http://h'>http://h</a> <a>n</a></p>",
            "{}",
            "[t](http://h) <http://h> n",
        ),
        ("<a href='http://h'>t</a>", r#"{"useLinkReferenceDefinitions": true}"#, "[t][1]\n\n[1]: http://h"),
        ("<img src='a.png' alt='i'><img src='data:x'>", "{}", "![i](a.png)"),
        ("<pre><code class='language-js'>a\n b</code></pre>", "{}", "```js\na\n b\n```"),
        ("<pre>a</pre>", r#"{"codeBlockStyle": "indented"}"#, "    a"),
        ("<blockquote><p>a</p><p>b</p></blockquote>", "{}", "> a\n>\n> b"),
        ("<table><tr><th>h</th></tr><tr><td>a</td></tr></table>", "{}", "| h   |\n| --- |\n| a   |"),
        ("<p>a_b * c</p>", "{}", "a\\_b \\* c"),
        ("<p>cat</p>", r#"{"textReplace": {"values": [{"pattern": "c(.)t", "replacement": "d$1g"}]}}"#, "dag"),
        ("<div>a<span>b</span></div><nav>n</nav>", r#"{"ignore": "nav, h1"}"#, "ab"),
        ("<html> <body><p>x</p></body></html>", "{}", "x"),
        (" <p>x</p>", "{}", " \n\nx"),
    ];
    for (html, options, markdown) in table {
        assert_eq!(converted("htmlToMarkdown", html, options), markdown, "{html} {options}");
    }
}

#[test]
fn keeps_the_other_fields() {
    let parameters = r#"{"mode": "markdownToHtml", "markdown": "x", "destinationKey": "a.html"}"#;
    assert_eq!(
        trial("markdown").parameters(parameters).input(r#"[{"k": 1}]"#).gives(),
        r#"[{"k":1,"a":{"html":"<p>x</p>"}}]"#
    );
}

#[test]
fn refuses_what_nests_too_deeply() {
    let deep_list: String = (0..200).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect();
    for text in [">".repeat(20_000), deep_list] {
        let parameters = Object::from([("mode", "markdownToHtml".into()), ("markdown", text.as_str().into())]);
        let error = trial("markdown").parameters(&Value::from(parameters).to_json()).fails();
        assert_eq!(error.message, "The Markdown nests quotes and lists more than 100 levels deep");
    }
    assert!(converted("markdownToHtml", &format!("{} a", ">".repeat(100)), "{}").contains("<p>a</p>"));
}
