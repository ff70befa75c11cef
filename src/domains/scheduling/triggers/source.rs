//! What a trigger node listens to, read from its parameters. Pure.

use millrace_model::{Node, NodeIndex, Problem, Value, truthy};
use millrace_runner::Compiled;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::domains::executions::Status;
use crate::domains::workflows::queue_of;

/// What a trigger listens to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Source {
    RedisQueue {
        queue: String,
        from_tail: bool,
    },
    RedisChannel {
        patterns: Vec<String>,
        parses_json: bool,
        only_message: bool,
    },
    Mailbox(Mailbox),
    Finished {
        /// Ids or names; all others where it is empty.
        workflows: Vec<String>,
        statuses: Vec<Status>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mailbox {
    pub name: String,
    pub format: Format,
    pub marks_read: bool,
    pub attachments: bool,
    pub prefix: String,
    /// Search criteria of IMAP.
    pub query: String,
    /// A message counts once.
    pub remembers: bool,
    pub reconnect_minutes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Format {
    Simple,
    Resolved,
    Raw,
}

impl Source {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Source::RedisQueue { .. } => Kind::RedisQueue,
            Source::RedisChannel { .. } => Kind::RedisChannel,
            Source::Mailbox(_) => Kind::Mailbox,
            Source::Finished { .. } => Kind::Finished,
        }
    }

    /// What a node listens to. `None`: to nothing.
    pub(super) fn of(compiled: &Compiled, index: NodeIndex) -> Option<Result<Source, Problem>> {
        let workflow = compiled.workflow();
        let node = workflow.node(index);
        if node.disabled {
            return None;
        }
        let found = match node.kind.as_str() {
            "n8n-nodes-base.redis" => queue(node, &queue_of(workflow, index)?),
            "n8n-nodes-base.redisTrigger" => channels(compiled, index),
            "n8n-nodes-base.emailReadImap" => mailbox(compiled, index),
            "millrace.workflowFinished" => finished(compiled, index),
            _ => return None,
        };
        let placed = |(parameter, message): Fault| {
            let pointer = format!("/nodes/{}/parameters/{parameter}", index.0);
            Problem::new(pointer, "trigger.parameter_not_valid", message)
        };
        Some(found.map_err(placed))
    }
}

/// A parameter, and what is wrong with it.
type Fault = (&'static str, String);

fn queue(node: &Node, name: &str) -> Result<Source, Fault> {
    let queue = fixed("queue", name)?;
    Ok(Source::RedisQueue { queue, from_tail: node.raw_parameter("tail").is_some_and(truthy) })
}

fn channels(compiled: &Compiled, index: NodeIndex) -> Result<Source, Fault> {
    let patterns = list(&text(compiled, index, "channels"));
    fixed("channels", &patterns.join(","))?;
    let option = |name: &str| option(compiled, index, name).is_some_and(truthy);
    Ok(Source::RedisChannel { patterns, parses_json: option("jsonParseBody"), only_message: option("onlyMessage") })
}

fn mailbox(compiled: &Compiled, index: NodeIndex) -> Result<Source, Fault> {
    let rules = option(compiled, index, "customEmailConfig").map(Value::to_js_string);
    let rules = rules.filter(|rules| !rules.is_empty()).unwrap_or_else(|| "[\"UNSEEN\"]".into());
    let not_valid = "must be a JSON list of IMAP search criteria, such as [\"UNSEEN\", [\"SUBJECT\", \"order\"]]";
    let rules = Value::from_json(&rules).ok().and_then(|rules| query(&rules, 0));
    let rules = rules.ok_or_else(|| ("options/customEmailConfig", not_valid.to_owned()))?;
    let name = text(compiled, index, "mailbox");
    let prefix = text(compiled, index, "dataPropertyAttachmentsPrefixName");
    let minutes = option(compiled, index, "forceReconnect").and_then(Value::as_f64).unwrap_or(60.0).clamp(1.0, 1440.0);
    Ok(Source::Mailbox(Mailbox {
        name: fixed("mailbox", if name.is_empty() { "INBOX" } else { &name })?,
        format: match text(compiled, index, "format").as_str() {
            "resolved" => Format::Resolved,
            "raw" => Format::Raw,
            _ => Format::Simple,
        },
        marks_read: text(compiled, index, "postProcessAction") != "nothing",
        attachments: compiled.node(index).parameters.get("downloadAttachments").is_some_and(truthy),
        prefix: if prefix.is_empty() { "attachment_".to_owned() } else { prefix },
        query: if rules.is_empty() { "ALL".to_owned() } else { rules },
        remembers: option(compiled, index, "trackLastMessageId").is_none_or(truthy),
        reconnect_minutes: millrace_model::to_index(minutes).and_then(|count| u64::try_from(count).ok()).unwrap_or(60),
    }))
}

fn finished(compiled: &Compiled, index: NodeIndex) -> Result<Source, Fault> {
    let workflows = text(compiled, index, "workflows");
    if workflows.starts_with('=') {
        return Err(("workflows", "must not be an expression: there is no run to evaluate it in".to_owned()));
    }
    let chosen = compiled.node(index).parameters.get("statuses").and_then(Value::as_array).unwrap_or_default();
    let statuses =
        chosen.iter().map(|status| status.to_js_string().parse::<Status>().ok().filter(|it| it.is_terminal()));
    let statuses: Option<Vec<Status>> = statuses.collect();
    let statuses = statuses.filter(|statuses| !statuses.is_empty());
    let statuses =
        statuses.ok_or_else(|| ("statuses", "must name some of success, error, canceled, crashed".to_owned()))?;
    Ok(Source::Finished { workflows: list(&workflows), statuses })
}

/// A text that stands for itself.
fn fixed(parameter: &'static str, text: &str) -> Result<String, Fault> {
    if text.is_empty() {
        return Err((parameter, "must not be empty".to_owned()));
    }
    if text.starts_with('=') {
        return Err((parameter, "must not be an expression: there is no run to evaluate it in".to_owned()));
    }
    if text.chars().any(char::is_control) {
        return Err((parameter, "must have no control characters".to_owned()));
    }
    Ok(text.to_owned())
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn text(compiled: &Compiled, index: NodeIndex, name: &str) -> String {
    let value = compiled.node(index).parameters.get(name).filter(|value| !value.is_nullish());
    value.map(|value| value.to_js_string().trim().to_owned()).unwrap_or_default()
}

fn option<'c>(compiled: &'c Compiled, index: NodeIndex, name: &str) -> Option<&'c Value> {
    compiled.node(index).parameters.get("options")?.get(name).filter(|value| !value.is_nullish())
}

/// Search criteria as a JSON list (node-imap's form), in IMAP's words. `None`: there is no such criterion.
fn query(rules: &Value, depth: usize) -> Option<String> {
    const DEEPEST: usize = 4;
    if depth > DEEPEST {
        return None;
    }
    let words = rules.as_array()?.iter().map(|rule| match rule {
        Value::String(word) => keyword(word),
        Value::Array(parts) => criterion(parts, depth),
        _ => None,
    });
    words.collect::<Option<Vec<String>>>().map(|words| words.join(" "))
}

fn criterion(parts: &[Value], depth: usize) -> Option<String> {
    let (name, values) = parts.split_first()?;
    let name = name.as_str()?;
    if name.trim_start_matches('!').eq_ignore_ascii_case("OR") {
        let both = values.iter().map(|value| query(&Value::array([value.clone()]), depth + 1));
        let both = both.collect::<Option<Vec<String>>>().filter(|both| both.len() == 2)?;
        return Some(format!("{} ({})", keyword(name)?, both.join(") (")));
    }
    let values = values.iter().map(|value| match value {
        Value::Number(number) => Some(millrace_model::format_number(*number).to_string()),
        Value::String(text) if text.chars().any(char::is_control) => None,
        Value::String(text) => Some(date(text).unwrap_or_else(|| quoted(text))),
        _ => None,
    });
    let values: Vec<String> = values.collect::<Option<_>>()?;
    Some(std::iter::once(keyword(name)?).chain(values).collect::<Vec<_>>().join(" "))
}

fn keyword(word: &str) -> Option<String> {
    let (negation, word) = word.strip_prefix('!').map_or(("", word), |word| ("NOT ", word));
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word.then(|| format!("{negation}{}", word.to_ascii_uppercase()))
}

/// A date as people write it, as IMAP has it: `31-Jan-2025`.
fn date(text: &str) -> Option<String> {
    let parsed = jiff::civil::Date::strptime("%B %d, %Y", text);
    let parsed = parsed.or_else(|_| text.parse::<jiff::civil::Date>()).ok()?;
    Some(parsed.strftime("%-d-%b-%Y").to_string())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use millrace_model::Workflow;
    use millrace_runner::BuiltIn;

    use super::*;

    fn read(kind: &str, parameters: &str) -> String {
        let document =
            format!(r#"{{"nodes":[{{"name":"T","type":"{kind}","parameters":{parameters}}}],"connections":{{}}}}"#);
        let workflow = Workflow::parse(&Value::from_json(&document).unwrap()).unwrap();
        match Source::of(&Compiled::new(Arc::new(workflow), &BuiltIn), NodeIndex(0)) {
            None => "nothing".to_owned(),
            Some(Ok(source)) => serde_json::to_string(&source).unwrap(),
            Some(Err(problem)) => problem.pointer,
        }
    }

    #[test]
    fn nodes_say_what_they_listen_to() {
        for (kind, parameters, expected) in [
            (
                "n8n-nodes-base.redis",
                r#"{"resource":"queue","queue":"jobs"}"#,
                r#"{"kind":"redisQueue","queue":"jobs","fromTail":false}"#,
            ),
            ("n8n-nodes-base.redis", r#"{"resource":"queue"}"#, "/nodes/0/parameters/queue"),
            ("n8n-nodes-base.redis", r#"{"operation":"get"}"#, "nothing"),
            (
                "n8n-nodes-base.redisTrigger",
                r#"{"channels":"a, b*","options":{"onlyMessage":true}}"#,
                r#"{"kind":"redisChannel","patterns":["a","b*"],"parsesJson":false,"onlyMessage":true}"#,
            ),
            ("n8n-nodes-base.redisTrigger", "{}", "/nodes/0/parameters/channels"),
            ("n8n-nodes-base.redisTrigger", r#"{"channels":"={{ 1 }}"}"#, "/nodes/0/parameters/channels"),
            (
                "n8n-nodes-base.emailReadImap",
                r#"{"options":{"customEmailConfig":"[5]"}}"#,
                "/nodes/0/parameters/options/customEmailConfig",
            ),
            (
                "millrace.workflowFinished",
                "{}",
                r#"{"kind":"finished","workflows":[],"statuses":["success","error","crashed"]}"#,
            ),
            ("millrace.workflowFinished", r#"{"statuses":["new"]}"#, "/nodes/0/parameters/statuses"),
            ("n8n-nodes-base.set", "{}", "nothing"),
        ] {
            assert_eq!(read(kind, parameters), expected, "{kind} {parameters}");
        }
    }

    #[test]
    fn search_criteria_become_the_words_of_imap() {
        for (rules, expected) in [
            (r#"["UNSEEN"]"#, Some("UNSEEN")),
            (r#"["!seen",["SUBJECT","a \"b\""]]"#, Some(r#"NOT SEEN SUBJECT "a \"b\"""#)),
            (r#"[["SINCE","May 20, 2010"],["LARGER",10]]"#, Some("SINCE 20-May-2010 LARGER 10")),
            (r#"[["OR","SEEN",["FROM","ann"]]]"#, Some(r#"OR (SEEN) (FROM "ann")"#)),
            ("[]", Some("")),
            (r#"["A B"]"#, None),
            (r#"[["SUBJECT","a\r\nLOGOUT"]]"#, None),
            (r#"[{}]"#, None),
            (r#""UNSEEN""#, None),
        ] {
            assert_eq!(query(&Value::from_json(rules).unwrap(), 0).as_deref(), expected, "{rules}");
        }
    }
}
