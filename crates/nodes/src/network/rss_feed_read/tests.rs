//! RSS Read against a played server, by tables.

use crate::testing::{Answer, Trial, trial};

fn feed(parameters: &str, xml: &str) -> Trial {
    let answer = Answer::new(200, "application/xml", xml.as_bytes());
    trial("rssFeedRead").parameters(parameters).world(|world| world.answering([answer]))
}

#[test]
fn reads_feeds() {
    let rss = "<rss><channel><title>C</title><item><title>T</title><link>http://h/1</link><description>&lt;b&gt;x&lt;/b&gt; y</description>\
        <dc:creator>A</dc:creator><pubDate>Tue, 02 Jan 2024 03:04:05 GMT</pubDate><guid isPermaLink='false'>g</guid><k>v</k></item></channel></rss>";
    let item = r#"{"creator":"A","title":"T","content":"<b>x</b> y","pubDate":"Tue, 02 Jan 2024 03:04:05 GMT","dc:creator":"A","link":"http://h/1","contentSnippet":"x y","guid":"g","isoDate":"2024-01-02T03:04:05.000Z""#;
    let atom = "<feed><entry><id>1</id><title type='text'>T</title><link href='http://h/1' rel='alternate'/><updated>2024-01-02T00:00:00Z</updated>\
        <author><name>N</name></author><content type='html'>c</content></entry></feed>";
    let entry = r#"[{"id":"1","title":"T","content":"c","link":"http://h/1","pubDate":"2024-01-02T00:00:00Z","author":"N","contentSnippet":"c","isoDate":"2024-01-02T00:00:00.000Z"}]"#;
    let rdf = "<rdf:RDF><channel/><item><title>T</title></item></rdf:RDF>";
    let table = [
        (r#"{"url": "http://h/f"}"#, rss, format!("[{item}}}]")),
        (r#"{"url": "http://h/f", "options": {"customFields": "k, other"}}"#, rss, format!(r#"[{item},"k":"v"}}]"#)),
        (r#"{"url": "http://h/f"}"#, atom, entry.to_owned()),
        (r#"{"url": "http://h/f"}"#, rdf, r#"[{"title":"T"}]"#.to_owned()),
    ];
    for (parameters, xml, expected) in table {
        assert_eq!(feed(parameters, xml).gives(), expected, "{xml}");
    }
}

#[test]
fn says_what_is_wrong() {
    let table = [
        ("{}", "", "The parameter \"URL\" has to be set!"),
        (r#"{"url": "nowhere"}"#, "", "The provided \"URL\" is not valid!"),
        (r#"{"url": "http://h"}"#, "<html/>", "Feed not recognized as RSS 1 or 2."),
    ];
    for (parameters, xml, message) in table {
        assert_eq!(feed(parameters, xml).fails().message, message);
    }
    let down = trial("rssFeedRead")
        .parameters(r#"{"url": "http://h"}"#)
        .world(|world| world.answering([Answer::failing("ECONNREFUSED", "x"), Answer::json(404, "{}")]));
    assert!(down.fails().message.starts_with("It was not possible to connect to the URL."));
    assert_eq!(down.fails().message, "Status code 404");
}
