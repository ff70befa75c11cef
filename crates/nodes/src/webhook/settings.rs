//! What the parameters of a Webhook (or waiting Wait) node say about its requests and answers.

use millrace_model::{Object, Str, Value, to_index, truthy};

/// The parameters, read. Expressions in them are resolved before.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `typeVersion` of the node.
    pub version: f64,
    /// Upper case; one output for each where there are several.
    pub methods: Vec<Str>,
    /// Does each method have an output of its own?
    pub multiple_methods: bool,
    /// Without slashes around it; parts that begin with `:` match anything.
    pub path: Str,
    pub authentication: Authentication,
    pub response_mode: ResponseMode,
    pub response_data: ResponseData,
    /// 200 unless the node says otherwise.
    pub response_code: u16,
    /// Headers of the answer, in the order written.
    pub response_headers: Vec<(Str, Str)>,
    pub response_content_type: Option<Str>,
    /// Field of the item's JSON that is the answer, by path.
    pub response_property: Option<Str>,
    /// Binary of the item that is the answer.
    pub response_binary: Str,
    /// Answer given on receipt in place of n8n's.
    pub receipt: Option<Value>,
    /// The answer on receipt has no body.
    pub no_body: bool,
    /// Keeps the body as it came, as a binary.
    pub raw_body: bool,
    /// Takes the whole body as a binary (version 1).
    pub binary_data: bool,
    /// Name of received binaries, where the node gives one.
    pub binary_property: Option<Str>,
    /// Addresses that may call; all when empty.
    pub ip_allow_list: Vec<Str>,
    pub ignore_bots: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    None,
    Basic,
    Header,
    Jwt,
}

/// When the caller is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    OnReceived,
    LastNode,
    /// A Respond to Webhook node answers.
    ResponseNode,
    /// Nodes write parts of the answer as they go.
    Streaming,
}

/// What of the last node's items is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseData {
    AllEntries,
    FirstEntryJson,
    FirstEntryBinary,
    NoData,
}

impl Settings {
    /// Reads parameters (defaults filled in, expressions resolved).
    pub fn read(version: f64, parameters: &Object) -> Settings {
        let at = |key: &str| parameters.get(key).filter(|value| !value.is_nullish());
        let options = at("options");
        let option = |key: &str| options.and_then(|options| options.get(key)).filter(|value| !value.is_nullish());
        let text = |value: Option<&Value>| value.map(Value::to_js_string).filter(|text| !text.is_empty());
        let methods: Vec<Str> = match at("httpMethod") {
            Some(Value::Array(methods)) => methods.iter().map(method).collect(),
            Some(one) => vec![method(one)],
            None => vec!["GET".into()],
        };
        Settings {
            version,
            multiple_methods: at("multipleMethods").is_some_and(truthy),
            methods,
            path: text(at("path")).map(|path| path.trim_matches('/').into()).unwrap_or_default(),
            // The Wait node has another name for it.
            authentication: match at("authentication").or_else(|| at("incomingAuthentication")).and_then(Value::as_str)
            {
                Some("basicAuth") => Authentication::Basic,
                Some("headerAuth") => Authentication::Header,
                Some("jwtAuth") => Authentication::Jwt,
                _ => Authentication::None,
            },
            response_mode: match at("responseMode").and_then(Value::as_str) {
                Some("lastNode") => ResponseMode::LastNode,
                Some("responseNode") => ResponseMode::ResponseNode,
                Some("streaming") => ResponseMode::Streaming,
                _ => ResponseMode::OnReceived,
            },
            response_data: match at("responseData").and_then(Value::as_str) {
                Some("allEntries") => ResponseData::AllEntries,
                Some("firstEntryBinary") => ResponseData::FirstEntryBinary,
                Some("noData") => ResponseData::NoData,
                _ => ResponseData::FirstEntryJson,
            },
            response_code: code(option("responseCode")).or_else(|| code(at("responseCode"))).unwrap_or(200),
            response_headers: headers(option("responseHeaders")),
            response_content_type: text(option("responseContentType")),
            response_property: text(option("responsePropertyName")),
            response_binary: text(at("responseBinaryPropertyName")).unwrap_or_else(|| "data".into()),
            receipt: option("responseData").cloned(),
            no_body: option("noResponseBody").is_some_and(truthy),
            raw_body: option("rawBody").is_some_and(truthy),
            binary_data: option("binaryData").is_some_and(truthy),
            binary_property: text(option("binaryPropertyName")),
            ip_allow_list: option("ipWhitelist").map(addresses).unwrap_or_default(),
            ignore_bots: option("ignoreBots").is_some_and(truthy),
        }
    }

    /// The output that requests of a method go to, and how many outputs there are.
    pub fn output_of(&self, method: &str) -> (usize, usize) {
        if !self.multiple_methods {
            return (0, 1);
        }
        let at = self.methods.iter().position(|known| known.eq_ignore_ascii_case(method)).unwrap_or(0);
        (at, self.methods.len())
    }
}

fn method(value: &Value) -> Str {
    value.to_js_string().to_uppercase()
}

/// A status code: a number, or a choice with a number of one's own behind it.
fn code(value: Option<&Value>) -> Option<u16> {
    let value = value?;
    let chosen = value.get("values");
    let number = |value: Option<&Value>| {
        let number = match value? {
            Value::Number(number) => *number,
            other => millrace_model::parse_number(&other.to_js_string()),
        };
        u16::try_from(to_index(number)?).ok().filter(|code| (100..1000).contains(code))
    };
    match chosen {
        Some(chosen) => number(chosen.get("responseCode")).or_else(|| number(chosen.get("customCode"))),
        None => number(Some(value)),
    }
}

/// `{entries: [{name, value}]}` as headers.
pub(crate) fn headers(value: Option<&Value>) -> Vec<(Str, Str)> {
    let entries = value.and_then(|value| value.get("entries")).and_then(Value::as_array).unwrap_or_default();
    let text = |entry: &Value, key: &str| entry.get(key).filter(|value| !value.is_nullish()).map(Value::to_js_string);
    let header = |entry: &Value| Some((text(entry, "name")?.to_lowercase(), text(entry, "value")?));
    entries.iter().filter_map(header).filter(|(name, _): &(Str, Str)| !name.is_empty()).collect()
}

fn addresses(value: &Value) -> Vec<Str> {
    value.to_js_string().split(',').map(str::trim).filter(|part| !part.is_empty()).map(Str::from).collect()
}
