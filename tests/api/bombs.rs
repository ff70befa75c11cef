//! Data that is made to do harm, against the real program: every bomb is a run error that names its node and item, memory
//! stays bounded, and the process lives.

use std::collections::HashMap;
use std::io::Write;

use actix_web::HttpResponse;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use futures_util::stream;
use serde_json::{Value, json};

use crate::flows::chain;
use crate::support::{Asked, Process, Vendor};

/// What all of them together may take, in MB.
const MEMORY: u64 = 1_500;

fn zeros(mut into: impl Write, megabytes: usize) {
    let block = vec![b' '; 1 << 20];
    for _ in 0..megabytes {
        into.write_all(&block).unwrap();
    }
}

fn gzip(megabytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    zeros(&mut encoder, megabytes);
    encoder.finish().unwrap()
}

/// An archive with one deflated file that says of itself that it unpacks to so many bytes.
fn archive(name: &str, megabytes: usize, declared: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    zeros(&mut encoder, megabytes);
    let packed = encoder.finish().unwrap();
    let numbers = |file: &mut Vec<u8>, list: &[(u32, usize)]| {
        for (number, bytes) in list {
            file.extend_from_slice(&number.to_le_bytes()[..*bytes]);
        }
    };
    let length = u32::try_from(packed.len()).unwrap();
    let named = u32::try_from(name.len()).unwrap();
    let head = [(20, 2), (0, 2), (8, 2), (0, 4), (0, 4), (length, 4), (declared, 4), (named, 2), (0, 2)];
    let mut file = b"PK\x03\x04".to_vec();
    numbers(&mut file, &head);
    file.extend_from_slice(name.as_bytes());
    file.extend_from_slice(&packed);
    let start = u32::try_from(file.len()).unwrap();
    file.extend_from_slice(b"PK\x01\x02");
    numbers(&mut file, &[(20, 2)]);
    numbers(&mut file, &head);
    numbers(&mut file, &[(0, 2), (0, 2), (0, 2), (0, 4), (0, 4)]);
    file.extend_from_slice(name.as_bytes());
    let size = u32::try_from(file.len()).unwrap() - start;
    file.extend_from_slice(b"PK\x05\x06");
    numbers(&mut file, &[(0, 2), (0, 2), (1, 2), (1, 2), (size, 4), (start, 4), (0, 2)]);
    file
}

const LAUGHS: &str = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
    <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]><l>&d;</l>";
const OUTSIDE: &str = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/hostname\">]><l>&a;</l>";

/// Files by the paths they are sent for.
fn files() -> HashMap<&'static str, Bytes> {
    let files = [
        ("/book", archive("xl/workbook.xml", 300, 300 << 20)),
        ("/book-that-lies", archive("_rels/.rels", 300, 100)),
        ("/ods", archive("mimetype", 300, 100)),
        ("/zip", archive("a.txt", 600, 600 << 20)),
        ("/zip-that-lies", archive("a.txt", 600, 100)),
        ("/gzip", gzip(600)),
        ("/pdf", [b"%PDF-1.7\n".to_vec(), vec![0xa7; 1 << 20]].concat()),
    ];
    files.map(|(path, bytes)| (path, Bytes::from(bytes))).into()
}

/// What is sent for each path.
fn answer(files: &HashMap<&'static str, Bytes>, asked: &Asked) -> HttpResponse {
    if let Some(file) = files.get(asked.path.as_str()) {
        return HttpResponse::Ok().content_type("application/octet-stream").body(file.clone());
    }
    match asked.path.as_str() {
        "/laughs" => HttpResponse::Ok().content_type("text/xml").body(LAUGHS),
        "/outside" => HttpResponse::Ok().content_type("text/xml").body(OUTSIDE),
        "/deep" => HttpResponse::Ok().content_type("application/json").body("[".repeat(1_000_000)),
        "/html" => HttpResponse::Ok().content_type("text/html").body("<div>".repeat(900)),
        "/deep-html" => HttpResponse::Ok().content_type("text/html").body("<div>".repeat(200_000)),
        // A gigabyte, made while it is sent.
        "/csv" => {
            let row = Bytes::from("name,number,text\n".repeat(1 << 16));
            let rows = stream::iter((0..1024).map(move |_| Ok::<_, actix_web::Error>(row.clone())));
            HttpResponse::Ok().content_type("text/csv").streaming(rows)
        }
        _ => HttpResponse::NotFound().finish(),
    }
}

fn peak_memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

fn fetch(url: &str, path: &str, format: &str) -> (&'static str, &'static str, f64, Value) {
    let options = json!({ "response": { "response": { "responseFormat": format } } });
    ("Fetch", "httpRequest", 4.2, json!({ "url": format!("{url}{path}"), "options": options }))
}

#[actix_web::test]
async fn bombs_are_run_errors_and_memory_stays_bounded() {
    let files = files();
    let vendor = Vendor::start(move |asked| answer(&files, asked));
    let process = Process::start(&[("EXECUTIONS__SCRIPT_SECONDS", "2")]).await;
    let extract = |operation: &str| json!({ "operation": operation, "options": {} });
    let matches = |pattern: &str| {
        json!({ "conditions": { "options": { "caseSensitive": true, "typeValidation": "loose", "version": 2 },
            "combinator": "and", "conditions": [{ "id": "1", "leftValue": "a".repeat(60) + "!", "rightValue": pattern,
            "operator": { "type": "string", "operation": "regex" } }] }, "options": {} })
    };
    let set = |value: &str| json!({ "assignments": { "assignments": [{ "id": "1", "name": "v", "type": "any", "value": value }] }, "options": {} });
    let read_page = || {
        let values = json!([{ "key": "n", "cssSelector": "div", "returnValue": "text" }]);
        json!({ "operation": "extractHtmlContent", "extractionValues": { "values": values }, "options": {} })
    };
    let nothing = || ("Begin2", "noOp", 1.0, json!({}));
    let table = [
        (fetch(&vendor.url, "/book", "file"), ("extractFromFile", 1.0, extract("xlsx")), "unpacks to more than"),
        (fetch(&vendor.url, "/book-that-lies", "file"), ("extractFromFile", 1.0, extract("xlsx")), ""),
        (fetch(&vendor.url, "/ods", "file"), ("extractFromFile", 1.0, extract("ods")), ""),
        (
            fetch(&vendor.url, "/zip", "file"),
            ("compression", 1.1, json!({ "binaryPropertyName": "data" })),
            "more than",
        ),
        (
            fetch(&vendor.url, "/zip-that-lies", "file"),
            ("compression", 1.1, json!({ "binaryPropertyName": "data" })),
            "invalid zip data",
        ),
        (
            fetch(&vendor.url, "/gzip", "file"),
            ("compression", 1.1, json!({ "binaryPropertyName": "data" })),
            "more than",
        ),
        (fetch(&vendor.url, "/laughs", "text"), ("xml", 1.0, json!({ "options": {} })), "The XML is not valid"),
        (fetch(&vendor.url, "/outside", "text"), ("xml", 1.0, json!({ "options": {} })), "The XML is not valid"),
        (nothing(), ("rssFeedRead", 1.1, json!({ "url": format!("{}/laughs", vendor.url), "options": {} })), ""),
        (nothing(), ("httpRequest", 4.2, json!({ "url": format!("{}/deep", vendor.url), "options": {} })), ""),
        (
            nothing(),
            ("code", 2.0, json!({ "jsCode": "return [{ json: JSON.parse('['.repeat(1e6) + ']'.repeat(1e6)) }]" })),
            "",
        ),
        (nothing(), ("set", 3.4, set("={{ /(a+)+$/.test('a'.repeat(60) + '!') }}")), "took longer"),
        (fetch(&vendor.url, "/pdf", "file"), ("extractFromFile", 1.0, extract("pdf")), ""),
        (fetch(&vendor.url, "/deep-html", "text"), ("html", 1.2, read_page()), "nests elements more than"),
        (
            fetch(&vendor.url, "/deep-html", "file"),
            ("extractFromFile", 1.0, extract("html")),
            "nests elements more than",
        ),
        (nothing(), ("httpRequest", 4.2, json!({ "url": format!("{}/csv", vendor.url), "options": {} })), "aborted"),
    ];
    let mut faults = Vec::new();
    for (before, (kind, version, parameters), expected) in table {
        let at = format!("{kind} {}", before.3["url"].as_str().unwrap_or_default());
        let workflow =
            chain("Bomb", &[("Begin", "manualTrigger", 1.0, json!({})), before, ("Bomb", kind, version, parameters)]);
        let imported = process.call("POST", "/api/v1/workflows/import", Some(workflow)).await;
        let path = format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap());
        let ended = process.call("POST", &path, Some(json!({ "inputData": {}, "wait": true }))).await;
        let error = &ended["data"]["resultData"]["error"];
        let message = error["message"].as_str().unwrap_or_default();
        let is_right = ended["status"] == "error" && error["node"] == "Bomb" && message.contains(expected);
        if !is_right || message.is_empty() {
            faults.push(format!("{at}: {} {error}", ended["status"]));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // A page that nests deeply is a page, and a pattern that would take for ever elsewhere takes no time here.
    for (before, node) in [
        (fetch(&vendor.url, "/html", "text"), ("Read", "html", 1.2, read_page())),
        (nothing(), ("Match", "filter", 2.2, matches("(a+)+$"))),
    ] {
        let harmless = chain("Harmless", &[("Begin", "manualTrigger", 1.0, json!({})), before, node]);
        let imported = process.call("POST", "/api/v1/workflows/import", Some(harmless)).await;
        let path = format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap());
        let ended = process.call("POST", &path, Some(json!({ "inputData": {}, "wait": true }))).await;
        assert_eq!(ended["status"], "success", "{ended}");
    }

    let peak = peak_memory(&process);
    assert!(peak < MEMORY, "the process took {peak} MB");
    let live = process.send("GET", "/health/live", None).await.unwrap();
    assert_eq!(live.0, 200, "the process lives");
}
