//! What the command line takes, what it refuses, and what `execute` prints.

use clap::Parser;

use super::{Cli, Command, Error, execute};

fn parse(line: &str) -> Result<Command, String> {
    let cli = Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())?;
    cli.command.ok_or_else(|| "no command".to_owned())
}

#[test]
fn commands_take_what_they_need() {
    let table = [
        ("millrace execute --workflow a.json", ""),
        ("millrace execute --workflow a.json --output json --pin-data --allow-files x --allow-files y", ""),
        ("millrace execute --workflow a.json --clock 2025-01-01T00:00:00.000Z --timezone Europe/Berlin", ""),
        ("millrace expression =x", ""),
        ("millrace expression --jsonl", ""),
        ("millrace expression =x --explain", ""),
        ("millrace check --jsonl", ""),
        ("millrace keys status", ""),
        ("millrace keys rotate", ""),
        ("millrace keys", "Usage"),
        ("millrace execute", "--workflow <FILE>"),
        ("millrace execute --workflow a.json --clock yesterday", "--clock <RFC3339>"),
        ("millrace execute --workflow a.json --output xml", "possible values: json, summary"),
        ("millrace expression", "required"),
        ("millrace expression =x --jsonl", "cannot be used with"),
        ("millrace expression --explain", "required"),
        ("millrace check", "--jsonl"),
        ("millrace exequte", "unrecognized subcommand"),
    ];
    for (line, refusal) in table {
        match parse(line) {
            Ok(_) => assert!(refusal.is_empty(), "{line} is taken"),
            Err(error) => assert!(!refusal.is_empty() && error.contains(refusal), "{line}: {error}"),
        }
    }
}

/// Runs `millrace execute` on a document, prints to a string; the message where the arguments make no sense.
fn run(document: &str, arguments: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("workflow.json");
    std::fs::write(&path, document).expect("written");
    let line = format!("millrace execute --workflow {} {arguments}", path.display());
    let Command::Execute(args) = parse(&line)? else { return Err("another command".to_owned()) };
    let mut output = Vec::new();
    let message = |error: Error| error.to_string().replace(&folder.path().display().to_string(), "DIR");
    execute::run_to(args, &mut output).map_err(message)?;
    Ok(String::from_utf8(output).expect("UTF-8"))
}

const WORKFLOW: &str = r#"{"nodes": [
    {"name": "Start", "type": "n8n-nodes-base.manualTrigger", "position": [0, 0]},
    {"name": "Nothing", "type": "n8n-nodes-base.noOp", "position": [1, 0]},
    {"name": "Odd", "type": "n8n-nodes-base.unheardOf", "position": [2, 0]}],
    "connections": {"Start": {"main": [[{"node": "Nothing", "index": 0}]]}, "Nothing": {"main": [[{"node": "Odd", "index": 0}]]}}}"#;

#[test]
fn execute_prints_a_summary_or_the_document() {
    let clock = "--clock 2025-01-01T00:00:00Z";
    let expected = [
        "     0 ms  Start: 1 item",
        "     0 ms  Nothing: 1 item",
        "     0 ms  Odd:  items  Unrecognized node type: n8n-nodes-base.unheardOf",
        "error: Unrecognized node type: n8n-nodes-base.unheardOf\n",
    ];
    assert_eq!(run(WORKFLOW, clock).expect("ran"), expected.join("\n"));
    let document = run(WORKFLOW, &format!("--output json {clock}")).expect("ran");
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["status"], "error");
    assert_eq!(document["data"]["resultData"]["runData"]["Nothing"][0]["startTime"], 1_735_689_600_000_i64);
}

#[test]
fn execute_says_what_is_wrong() {
    let table = [
        (WORKFLOW, "--timezone Mars/Base", "there is no time zone \"Mars/Base\""),
        (WORKFLOW, "--input /nonexistent", "cannot read /nonexistent: No such file or directory (os error 2)"),
        ("{\"nodes\": [", "", "DIR/workflow.json is not valid JSON: EOF while parsing a list at line 1 column 11"),
        ("[]", "", "the workflow cannot run:\n  : a workflow is a JSON object [workflow.not_an_object]"),
        (
            r#"{"nodes": [{"name": "A", "type": "x"}, {"name": "B", "type": "x"}]}"#,
            "",
            "the workflow cannot run:\n  /nodes: the workflow has no node that can start it [workflow.no_trigger]",
        ),
    ];
    for (document, arguments, expected) in table {
        assert_eq!(run(document, arguments).expect_err("refused"), expected);
    }
}
